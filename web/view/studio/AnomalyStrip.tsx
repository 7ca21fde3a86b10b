import { useMemo, useState } from 'preact/hooks'
import { linePath, peaks } from '../../state/studio/bins.ts'
import { type Material, nameOf, type Scoring } from '../../state/studio/scoring.ts'
import { text } from '../../text-studio.ts'

const WIDTH = 600
const LINE_HEIGHT = 96
const STRIP_HEIGHT = 40
const PAGE = 10
const words = text.anomalies

/** A column of the data as a line, and under it the scores as a strip that can be walked through. */
export function AnomalyStrip({ scoring, material }: { scoring: Scoring; material: Material }) {
  const columns = material.kind === 'rows' ? material.table.columns : []
  const [picked, setColumn] = useState<number | null>(null)
  const column = picked ?? causeOf(scoring) ?? 0
  const scored = scoring.scored.value
  const total = scoring.total.value
  const selected = scoring.selected.value
  const line = useMemo(() => {
    if (material.kind !== 'rows') return ''
    const values = material.table.rows.map((row) => row[column] ?? 0)
    return linePath(values, { width: WIDTH, height: LINE_HEIGHT - 8, total: values.length })
  }, [material, column])
  const bars = useMemo(() => barPaths(scoring, total), [scoring, scored, total])
  const top = columns.length > 0 ? LINE_HEIGHT : 0
  const height = top + STRIP_HEIGHT
  return (
    <figure class="strip">
      {columns.length > 1 && (
        <label class="model-pick">
          <span>{words.column}</span>
          <select value={column} onChange={(event) => setColumn(Number(event.currentTarget.value))}>
            {columns.map((name, i) => (
              <option key={name} value={i}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <div
        class="strip-picture"
        role="slider"
        tabIndex={0}
        aria-label={words.strip}
        aria-valuemin={1}
        aria-valuemax={scored.length}
        aria-valuenow={(selected ?? 0) + 1}
        aria-valuetext={valueText(scoring, material)}
        onKeyDown={(event) => walk(event, scoring)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          point(event, scoring, total)
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) point(event, scoring, total)
        }}
      >
        <svg
          viewBox={`0 0 ${WIDTH} ${height}`}
          preserveAspectRatio="none"
          width="100%"
          height={height}
          aria-hidden="true"
        >
          {top > 0 && <path class="data-line" d={line} transform="translate(0 4)" />}
          <g transform={`translate(0 ${top})`}>
            <path class="bars" d={bars.fitting} />
            <path class="bars unfitting" d={bars.unfitting} />
          </g>
          {selected !== null && <path class="cursor" d={`M${((selected + 0.5) / total) * WIDTH} 0V${height}`} />}
        </svg>
      </div>
    </figure>
  )
}

function valueText(scoring: Scoring, material: Material): string {
  const selected = scoring.selected.value
  const anomaly = selected === null ? undefined : scoring.scored.value[selected]
  if (selected === null || !anomaly) return ''
  return words.stripValue(nameOf(material, selected), anomaly.score, anomaly.is_anomaly)
}

/** The column with the largest share of the highest score's error. */
function causeOf(scoring: Scoring): number | undefined {
  const shares = scoring.scored.value[scoring.order.value[0] ?? 0]?.contributions.map(({ share }) => share)
  return shares?.indexOf(Math.max(...shares))
}

/** A bar for the highest score of each bin; its height grows with the score's logarithm. */
function barPaths(scoring: Scoring, total: number): { fitting: string; unfitting: string } {
  const scored = scoring.scored.value
  const most = Math.ceil((WIDTH / 2) * (scored.length / total))
  const threshold = scoring.threshold.value || 1
  const heightOf = (score: number) => Math.log1p(score / threshold)
  const highest = Math.max(heightOf(scored[scoring.order.value[0] ?? 0]?.score ?? 0), heightOf(threshold))
  let fitting = ''
  let unfitting = ''
  const width = Math.max(1, (WIDTH / total) * 0.6)
  for (const index of peaks(
    scored.map(({ score }) => score),
    most,
  )) {
    const { score = 0, is_anomaly = false } = scored[index] ?? {}
    const height = STRIP_HEIGHT * Math.max(0.04, heightOf(score) / highest)
    const x = ((index + 0.5) / total) * WIDTH - width / 2
    const bar = `M${x.toFixed(2)} ${STRIP_HEIGHT}h${width.toFixed(2)}v${(-height).toFixed(1)}h${(-width).toFixed(2)}z`
    if (is_anomaly) unfitting += bar
    else fitting += bar
  }
  return { fitting, unfitting }
}

function walk(event: KeyboardEvent, scoring: Scoring): void {
  const last = scoring.scored.value.length - 1
  const at = scoring.selected.value ?? 0
  const goal = {
    ArrowRight: at + 1,
    ArrowUp: at + 1,
    ArrowLeft: at - 1,
    ArrowDown: at - 1,
    PageUp: at + PAGE,
    PageDown: at - PAGE,
    Home: 0,
    End: last,
  }[event.key]
  if (goal === undefined) return
  event.preventDefault()
  scoring.selected.value = Math.min(last, Math.max(0, goal))
}

/** Chooses the highest score near the pointer. */
function point(event: PointerEvent & { currentTarget: HTMLElement }, scoring: Scoring, total: number): void {
  const { left, width } = event.currentTarget.getBoundingClientRect()
  const scored = scoring.scored.value
  const at = ((event.clientX - left) / width) * total
  const reach = Math.max(0.5, (3 / width) * total)
  let best: number | null = null
  for (let i = Math.max(0, Math.floor(at - reach)); i <= Math.min(scored.length - 1, at + reach); i++) {
    if (best === null || (scored[i]?.score ?? 0) > (scored[best]?.score ?? 0)) best = i
  }
  if (best !== null) scoring.selected.value = best
}

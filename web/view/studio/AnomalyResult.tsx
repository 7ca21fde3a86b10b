import { useState } from 'preact/hooks'
import { dataUrl } from '../../state/studio/pictures.ts'
import { scoresAsCsv } from '../../state/studio/scores-csv.ts'
import { type Material, nameOf, type Scoring } from '../../state/studio/scoring.ts'
import { text } from '../../text-studio.ts'
import type { Anomaly } from '../../transport/anomalies.ts'
import type { TrainedModel } from '../../transport/trained-models.ts'
import { Icon } from '../Icon.tsx'
import { AnomalyStrip } from './AnomalyStrip.tsx'
import { Shares } from './Shares.tsx'

const SHOWN_AT_FIRST = 20
const words = text.anomalies

/** What was found: a strip under the data, the list by score, and what makes the chosen one unusual. */
export function AnomalyResult({ scoring, model }: { scoring: Scoring; model: TrainedModel }) {
  const material = scoring.material.value
  const scored = scoring.scored.value
  if (!material) return null
  const found = scored.filter(({ is_anomaly }) => is_anomaly).length
  return (
    <>
      <div class="title-line">
        <p class="summary">
          {words.summary(found, scored.length)} <span class="note">{words.threshold(scoring.threshold.value)}</span>
        </p>
        <button type="button" class="outlined" onClick={() => download(material, scored)}>
          <Icon name="file" />
          {words.download}
        </button>
      </div>
      <AnomalyStrip scoring={scoring} material={material} />
      <div class="found">
        <FoundList scoring={scoring} material={material} />
        <Shares scoring={scoring} material={material} model={model} />
      </div>
    </>
  )
}

function FoundList({ scoring, material }: { scoring: Scoring; material: Material }) {
  const [shown, setShown] = useState(SHOWN_AT_FIRST)
  const order = scoring.order.value
  return (
    <section aria-label={words.table}>
      <table class="found-list">
        <thead>
          <tr>
            <th scope="col">{words.where}</th>
            <th scope="col" class="number">
              {words.score}
            </th>
            <th scope="col">{words.mostly}</th>
            <th scope="col" class="number not-phone" title={words.severityHint}>
              {words.severity}
            </th>
          </tr>
        </thead>
        <tbody>
          {order.slice(0, shown).map((index) => (
            <FoundRow key={index} scoring={scoring} material={material} index={index} />
          ))}
        </tbody>
      </table>
      {order.length > shown && (
        <button type="button" class="quiet" onClick={() => setShown(shown + 5 * SHOWN_AT_FIRST)}>
          {words.more}
        </button>
      )}
    </section>
  )
}

function FoundRow({ scoring, material, index }: { scoring: Scoring; material: Material; index: number }) {
  const anomaly = scoring.scored.value[index]
  if (!anomaly) return null
  const selected = scoring.selected.value === index
  const picture = material.kind === 'images' ? material.pictures[index] : undefined
  const choose = () => {
    scoring.selected.value = index
  }
  return (
    <tr class={selected ? 'selected' : ''} onClick={choose}>
      <td>
        <button type="button" class="row-button" aria-pressed={selected} onClick={choose}>
          {picture && <img class="pixels thumb" src={dataUrl(picture)} alt="" />}
          {anomaly.is_anomaly && <span class="mark" role="img" aria-label={words.fitsNot} title={words.fitsNot} />}
          {nameOf(material, index)}
        </button>
      </td>
      <td class="number">{text.number(anomaly.score)}</td>
      <td class="cause">{causeOf(anomaly)}</td>
      <td class="number not-phone">{text.percent(anomaly.severity)}</td>
    </tr>
  )
}

/** The column with the largest share of the error; pictures show theirs. */
function causeOf({ contributions }: Anomaly): string {
  let largest: { column: string; share: number } | undefined
  for (const part of contributions) {
    if ('column' in part && part.share > (largest?.share ?? -1)) largest = part
  }
  return largest ? `${largest.column} (${text.percent(largest.share)})` : ''
}

function download(material: Material, scored: readonly Anomaly[]): void {
  const url = URL.createObjectURL(new Blob([scoresAsCsv(material, scored)], { type: 'text/csv' }))
  const link = document.createElement('a')
  link.href = url
  link.download = words.fileName
  link.click()
  URL.revokeObjectURL(url)
}

import { dataUrl } from '../../state/studio/pictures.ts'
import { type Material, nameOf, type Scoring } from '../../state/studio/scoring.ts'
import { text } from '../../text-studio.ts'
import type { TileShare } from '../../transport/anomalies.ts'
import type { ImageInput, TrainedModel } from '../../transport/trained-models.ts'
import { Bar } from './Bar.tsx'

const words = text.anomalies

/** What makes the chosen item unusual: each column's share of the error as a bar, or where on the picture it lies. */
export function Shares({ scoring, material, model }: { scoring: Scoring; material: Material; model: TrainedModel }) {
  const index = scoring.selected.value
  const anomaly = index === null ? undefined : scoring.scored.value[index]
  if (index === null || !anomaly) return null
  const picture = material.kind === 'images' ? material.pictures[index] : undefined
  return (
    <section class="shares" aria-label={words.shares}>
      <h3>{nameOf(material, index)}</h3>
      <p class={anomaly.is_anomaly ? 'failure' : 'note'}>
        {anomaly.is_anomaly ? words.fitsNot : words.fits} · {words.score} {text.number(anomaly.score)}
      </p>
      <p class="note small">{picture ? words.tilesHint : words.sharesHint}</p>
      {picture && model.input.kind === 'images' ? (
        <Tiles picture={picture} tiles={anomaly.contributions.filter((part) => 'x' in part)} size={model.input} />
      ) : (
        <ColumnShares
          shares={anomaly.contributions.filter((part) => 'column' in part)}
          row={material.kind === 'rows' ? (material.table.rows[index] ?? []) : []}
        />
      )}
    </section>
  )
}

function ColumnShares({
  shares,
  row,
}: {
  shares: readonly { readonly column: string; readonly share: number }[]
  row: readonly number[]
}) {
  const sorted = shares.map((share, i) => ({ ...share, value: row[i] ?? 0 })).sort((a, b) => b.share - a.share)
  return (
    <table class="row-bars">
      <tbody>
        {sorted.map(({ column, share, value }) => (
          <tr key={column}>
            <th scope="row">{column}</th>
            <td class="bar-cell">
              <Bar share={share} />
            </td>
            <td class="number">{text.percent(share)}</td>
            <td class="number note">{text.number(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Tiles({ picture, tiles, size }: { picture: string; tiles: readonly TileShare[]; size: ImageInput }) {
  const largest = Math.max(...tiles.map(({ share }) => share), Number.MIN_VALUE)
  return (
    <div class="picture-frame">
      <img class="pixels" src={dataUrl(picture)} alt="" />
      <svg class="tiles" viewBox={`0 0 ${size.width} ${size.height}`} aria-hidden="true">
        {tiles.map(({ x, y, width, height, share }) => (
          <rect key={`${x} ${y}`} x={x} y={y} width={width} height={height} fill-opacity={0.75 * (share / largest)} />
        ))}
      </svg>
    </div>
  )
}

/** How unlike its training data something is: what an autoencoder cannot reconstruct, and where. */
import type { Anomaly, ColumnShare, TileShare } from '#protocol/anomalies.ts'
import type { PublishedModel } from '#protocol/published-model.ts'
import type { EdgeContext } from '../context.ts'
import { type Encodable, type Input, wrongFamily } from './inputs.ts'
import { joined, pieces } from './pieces.ts'
import { publishedModels } from './published-models.ts'
import { elementsOf } from './tensor.ts'

/** An image's shares are those of this many tiles a side, or of its pixels if it has fewer. */
const TILES = 8

/** @throws ApiError 400 if the model scores nothing */
export async function score(
  c: EdgeContext,
  model: PublishedModel,
  { items, shape }: Encodable,
): Promise<{ threshold: number; data: Anomaly[] }> {
  const { parts, id } = model
  if (parts.family !== 'autoencoder') throw wrongFamily(id, 'scores anomalies')
  const { scorer, input, threshold, quantiles } = parts
  const size = elementsOf(shape)
  const data: Anomaly[] = []
  for (const piece of pieces(items, size)) {
    const whole = [piece.length, ...shape]
    const { scores, errors } = await publishedModels.run(c, model, {
      file: scorer,
      inputs: { [input.kind]: { data: joined(piece), shape: whole } },
      wanted: { scores: [piece.length], errors: whole },
    })
    for (const [i, score] of scores.entries()) {
      const contributions = sharesOf(errors.subarray(i * size, (i + 1) * size), input)
      data.push({ score, is_anomaly: score > threshold, severity: rankOf(score, quantiles), contributions })
    }
  }
  return { threshold, data }
}

/**
 * The share of validation data that scored lower, on straight lines between its quantiles; where several are the same,
 * all of them are lower or none is.
 * @param quantiles ascending, at even steps from 0 to 1
 */
export function rankOf(score: number, quantiles: readonly number[]): number {
  const above = quantiles.findIndex((quantile) => quantile >= score)
  if (above < 0) return 1
  if (above === 0) return 0
  const [low, high] = [quantiles[above - 1] ?? 0, quantiles[above] ?? 0]
  return (above - 1 + (score - low) / (high - low)) / (quantiles.length - 1)
}

function sharesOf(errors: Float32Array, input: Input): ColumnShare[] | TileShare[] {
  const total = errors.reduce((sum, error) => sum + error, 0)
  if (input.kind === 'rows') {
    // Where there is no error at all, all columns have the same share of it.
    const share = (error: number) => (total > 0 ? error / total : 1 / errors.length)
    return input.columns.map(({ name }, i) => ({ column: name, share: share(errors[i] ?? 0) }))
  }
  const { channels, height, width } = input
  const tiles = edges(height).flatMap(([y, bottom]) =>
    edges(width).map(([x, right]) => ({ x, y, width: right - x, height: bottom - y })),
  )
  return tiles.map((tile) => {
    let sum = 0
    for (let channel = 0; channel < channels; channel++) {
      for (let y = tile.y; y < tile.y + tile.height; y++) {
        const row = (channel * height + y) * width
        for (let x = tile.x; x < tile.x + tile.width; x++) sum += errors[row + x] ?? 0
      }
    }
    return { ...tile, share: total > 0 ? sum / total : (tile.width * tile.height) / (width * height) }
  })
}

/** Where tiles begin and end, on a side of so many pixels. */
function edges(pixels: number): [number, number][] {
  const count = Math.min(TILES, pixels)
  const at = (i: number) => Math.round((i * pixels) / count)
  return Array.from({ length: count }, (_, i) => [at(i), at(i + 1)])
}

/** Many numbers on few pixels: what a line or a strip shows of them. */

/** How many items each of at most `most` bins holds, and where it begins. */
export function binEdges(count: number, most: number): readonly number[] {
  const bins = Math.min(count, most)
  return Array.from({ length: bins + 1 }, (_, i) => Math.floor((i * count) / bins))
}

/** The place of the largest value of each bin. */
export function peaks(values: readonly number[], most: number): readonly number[] {
  const edges = binEdges(values.length, most)
  return edges.slice(0, -1).map((from, bin) => {
    let best = from
    for (let i = from; i < (edges[bin + 1] ?? 0); i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i
    return best
  })
}

/**
 * An SVG path through the lowest and the highest value of each bin, in a box of `width` × `height` with the highest value
 * on top; of the first `values` of `total` that are to come.
 */
export function linePath(values: readonly number[], box: { width: number; height: number; total: number }): string {
  const edges = binEdges(values.length, box.width)
  const finite = values.filter(Number.isFinite)
  const low = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const high = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const y = (value: number) => round(high > low ? (1 - (value - low) / (high - low)) * box.height : box.height / 2)
  const points = edges.slice(0, -1).flatMap((from, bin) => {
    const part = values.slice(from, edges[bin + 1])
    const x = round(((from + part.length / 2) / box.total) * box.width)
    const [least, most] = [Math.min(...part), Math.max(...part)]
    const isRising = (part.at(-1) ?? 0) >= (part[0] ?? 0)
    const ends = least === most ? [least] : isRising ? [least, most] : [most, least]
    return ends.map((value) => `${x} ${y(value)}`)
  })
  return points.length === 0 ? '' : `M${points.join('L')}`
}

const round = (value: number): number => Math.round(value * 100) / 100

/** What part of a map is seen, and which of its points is where. */

export interface Point {
  readonly x: number
  readonly y: number
}
export interface Size {
  readonly width: number
  readonly height: number
}
/** A point of the map is seen at `scale · point + offset`, in pixels. */
export interface MapView {
  readonly scale: number
  readonly x: number
  readonly y: number
}

const MOST_ZOOM = 64
const MARGIN = 40

/** All points, as large as there is room. */
export function wholeMap(points: readonly Point[], { width, height }: Size): MapView {
  const [left, right] = rangeOf(points.map(({ x }) => x))
  const [top, bottom] = rangeOf(points.map(({ y }) => y))
  const scale = Math.min((width - 2 * MARGIN) / (right - left), (height - 2 * MARGIN) / (bottom - top))
  return { scale, x: width / 2 - (scale * (left + right)) / 2, y: height / 2 - (scale * (top + bottom)) / 2 }
}

export function seenAt({ scale, x, y }: MapView, point: Point): Point {
  return { x: scale * point.x + x, y: scale * point.y + y }
}

/** By a factor, about a place that stays where it is seen; from the whole map to 64 times. */
export function zoomed(view: MapView, about: Point, factor: number, whole: MapView): MapView {
  const scale = Math.min(whole.scale * MOST_ZOOM, Math.max(whole.scale, view.scale * factor))
  const by = scale / view.scale
  return { scale, x: about.x + by * (view.x - about.x), y: about.y + by * (view.y - about.y) }
}

/** Moved so that a point is seen, if it is not. */
export function broughtIntoView(view: MapView, point: Point, { width, height }: Size): MapView {
  const seen = seenAt(view, point)
  const into = (at: number, size: number) => Math.min(size - MARGIN, Math.max(MARGIN, at)) - at
  return { ...view, x: view.x + into(seen.x, width), y: view.y + into(seen.y, height) }
}

/** The point that is seen nearest to a place, within a reach in pixels. */
export function nearest(points: readonly Point[], view: MapView, place: Point, reach: number): number | null {
  let best: number | null = null
  let shortest = reach
  for (const [i, point] of points.entries()) {
    const seen = seenAt(view, point)
    const distance = Math.hypot(seen.x - place.x, seen.y - place.y)
    if (distance <= shortest) [best, shortest] = [i, distance]
  }
  return best
}

/** The nearest point that lies in a direction, within 45° of it. */
export function neighbour(points: readonly Point[], from: number, direction: Point): number | null {
  const start = points[from]
  if (!start) return null
  let best: number | null = null
  let shortest = Number.POSITIVE_INFINITY
  for (const [i, { x, y }] of points.entries()) {
    const [dx, dy] = [x - start.x, y - start.y]
    const ahead = dx * direction.x + dy * direction.y
    const aside = Math.abs(dx * direction.y - dy * direction.x)
    const distance = Math.hypot(dx, dy)
    if (ahead > 0 && aside <= ahead && distance < shortest) [best, shortest] = [i, distance]
  }
  return best
}

function rangeOf(values: readonly number[]): readonly [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  return high > low ? [low, high] : [low - 1, low + 1]
}

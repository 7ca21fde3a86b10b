import { useEffect, useRef, useState } from 'preact/hooks'
import type { LatentMap, MapItem } from '../../state/studio/latent-map.ts'
import {
  broughtIntoView,
  type MapView,
  nearest,
  neighbour,
  type Point,
  type Size,
  seenAt,
  wholeMap,
  zoomed,
} from '../../state/studio/map-view.ts'
import { blobOf } from '../../state/studio/pictures.ts'
import { text } from '../../text-studio.ts'
import { IconButton } from '../Icon.tsx'

const THUMB = 32
const STEP = 1.5
/** Moves of the pointer below it are a click. */
const STILL = 4
const words = text.map
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
}

/** The map: dragged, zoomed by the wheel, walked by the arrows; a click chooses, Enter goes there. */
export function MapCanvas({ map, onChoose }: { map: LatentMap; onChoose: (index: number) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const items = map.items.value
  const points = map.points.value
  const selected = map.selected.value
  const thumbs = useThumbs(items)
  const size = useSize(canvas)
  const [view, setView] = useState<MapView | null>(null)
  const whole = size && wholeMap(points, size)
  // Another set of points is seen whole at first.
  useEffect(() => setView(null), [points])
  const shown = view ?? whole
  useEffect(() => {
    if (canvas.current && shown && size) draw(canvas.current, { points, thumbs, selected, view: shown, size })
  }, [points, thumbs, selected, shown, size])
  const zoom = (factor: number, about?: Point) => {
    if (shown && whole && size)
      setView(zoomed(shown, about ?? { x: size.width / 2, y: size.height / 2 }, factor, whole))
  }
  const drag = useRef<{ from: Point; view: MapView; moved: boolean } | null>(null)
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = ARROWS[event.key]
    if (direction) {
      event.preventDefault()
      const next = neighbour(points, selected ?? 0, direction)
      const point = next === null ? undefined : points[next]
      if (next === null || !point || !shown || !size) return
      map.selected.value = next
      setView(broughtIntoView(shown, point, size))
    } else if (event.key === 'Enter' && selected !== null) onChoose(selected)
    else if (event.key === '+' || event.key === '=') zoom(STEP)
    else if (event.key === '-') zoom(1 / STEP)
    else if (event.key === '0') setView(null)
  }
  return (
    <div class="map-place">
      {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: a picture that takes keys is an application */}
      <canvas
        ref={canvas}
        class="map-canvas"
        tabIndex={0}
        role="application"
        aria-label={words.label(items.length)}
        aria-describedby="map-selected"
        onKeyDown={onKeyDown}
        onWheel={(event) => {
          event.preventDefault()
          zoom(Math.exp(-event.deltaY / 300), placeOf(event))
        }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          if (shown) drag.current = { from: placeOf(event), view: shown, moved: false }
        }}
        onPointerMove={(event) => {
          const { current } = drag
          if (!current) return
          const at = placeOf(event)
          const [dx, dy] = [at.x - current.from.x, at.y - current.from.y]
          current.moved ||= Math.hypot(dx, dy) > STILL
          if (current.moved) setView({ ...current.view, x: current.view.x + dx, y: current.view.y + dy })
        }}
        onPointerUp={(event) => {
          const { current } = drag
          drag.current = null
          if (!current || current.moved || !shown) return
          const found = nearest(points, shown, placeOf(event), THUMB)
          if (found !== null) map.selected.value = found
        }}
      />
      <div class="map-buttons">
        <IconButton icon="plus" label={words.closer} onClick={() => zoom(STEP)} />
        <IconButton icon="minus" label={words.farther} onClick={() => zoom(1 / STEP)} />
        <IconButton icon="whole" label={words.whole} onClick={() => setView(null)} />
      </div>
      <p class="unseen" id="map-selected" aria-live="polite">
        {selected !== null && words.picture(selected + 1, items.length)}
      </p>
    </div>
  )
}

function placeOf(event: PointerEvent | WheelEvent): Point {
  return { x: event.offsetX, y: event.offsetY }
}

function useThumbs(items: readonly MapItem[]): readonly ImageBitmap[] {
  const [thumbs, setThumbs] = useState<readonly ImageBitmap[]>([])
  useEffect(() => {
    let current = true
    void Promise.all(items.map(({ picture }) => createImageBitmap(blobOf(picture)))).then((made) => {
      if (current) setThumbs(made)
    })
    return () => {
      current = false
    }
  }, [items])
  return thumbs
}

function useSize(canvas: { readonly current: HTMLCanvasElement | null }): Size | null {
  const [size, setSize] = useState<Size | null>(null)
  useEffect(() => {
    const element = canvas.current
    if (!element) return
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }))
    observer.observe(element)
    return () => observer.disconnect()
  }, [canvas])
  return size
}

interface Drawing {
  readonly points: readonly Point[]
  readonly thumbs: readonly ImageBitmap[]
  readonly selected: number | null
  readonly view: MapView
  readonly size: Size
}

function draw(canvas: HTMLCanvasElement, { points, thumbs, selected, view, size }: Drawing): void {
  const context = canvas.getContext('2d')
  if (!context) return
  const ratio = window.devicePixelRatio
  canvas.width = Math.round(size.width * ratio)
  canvas.height = Math.round(size.height * ratio)
  context.scale(ratio, ratio)
  context.imageSmoothingEnabled = false
  const put = (index: number, side: number) => {
    const [point, thumb] = [points[index], thumbs[index]]
    if (!point || !thumb) return
    const { x, y } = seenAt(view, point)
    context.drawImage(thumb, x - side / 2, y - side / 2, side, side)
    if (index !== selected) return
    context.lineWidth = 3
    context.strokeStyle = getComputedStyle(canvas).color
    context.strokeRect(x - side / 2 - 2, y - side / 2 - 2, side + 4, side + 4)
  }
  for (const index of points.keys()) if (index !== selected) put(index, THUMB)
  if (selected !== null) put(selected, THUMB * 1.5)
}

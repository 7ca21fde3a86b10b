import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Curve } from '../../state/train/job-record.ts'
import { text } from '../../text-train.ts'
import { useColours } from './use-colours.ts'

const HEIGHT = 176
const words = text.job

/** A chart for each number: training and validation in one. */
export function Curves({ curves, theme }: { curves: readonly Curve[]; theme: string }) {
  return (
    <div class="curves">
      {curves.map((curve) => (
        <Chart key={curve.name} curve={curve} theme={theme} />
      ))}
    </div>
  )
}

function Chart({ curve, theme }: { curve: Curve; theme: string }) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const [at, setAt] = useState<number | null>(null)
  const colours = useColours(place, theme)
  const newest = useRef(curve)
  newest.current = curve
  useEffect(() => {
    const element = place.current
    if (!element || !colours) return
    const made = new uPlot(optionsFor(element.clientWidth, colours, setAt), dataOf(newest.current), element)
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [colours])
  useEffect(() => plot.current?.setData(dataOf(curve)), [curve])
  const latest = captionOf(curve, at)
  return (
    <figure class="curve">
      <figcaption>
        <strong>{curve.name}</strong> <span class="note small">{latest}</span>
      </figcaption>
      <div class="chart" ref={place} role="img" aria-label={words.curve(curve.name, latest)} />
    </figure>
  )
}

const dataOf = ({ steps, train, valid }: Curve): uPlot.AlignedData => [[...steps], [...train], [...valid]]

/** The values under the pointer, else the last ones. */
function captionOf({ train, valid }: Curve, at: number | null): string {
  const parts = [
    { label: words.train, values: train },
    { label: words.valid, values: valid },
  ]
  return parts
    .flatMap(({ label, values }) => {
      const value = values.slice(0, at === null ? undefined : at + 1).findLast((known) => known !== null)
      return value === undefined || value === null ? [] : [`${label} ${text.number(value)}`]
    })
    .join(' · ')
}

type Colours = NonNullable<ReturnType<typeof useColours>>

function optionsFor(width: number, colours: Colours, onPoint: (index: number | null) => void): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: colours.quiet,
    font: '12px system-ui, sans-serif',
    grid: { stroke: colours.line, width: 1 },
    ticks: { stroke: colours.line, width: 1 },
  }
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 32 },
      { ...axis, size: 56 },
    ],
    series: [
      {},
      { stroke: colours.accent, width: 1.5, points: { size: 4 }, spanGaps: true },
      { stroke: colours.text, width: 1.5, dash: [4, 4], spanGaps: true, points: { size: 4 } },
    ],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  }
}

/** What a job has told of itself, put together from its events. */
import type { JobEvent, JobProgress } from '../../transport/training.ts'

/** How one number went, in training and on the validation part. */
export interface Curve {
  readonly name: string
  /** Ascending. */
  readonly steps: readonly number[]
  /** Of each step; null where it was not told. */
  readonly train: readonly (number | null)[]
  readonly valid: readonly (number | null)[]
}

export interface SampleSheet {
  readonly step: number
  readonly fileId: string
}

export interface JobRecord {
  readonly progress: JobProgress | null
  readonly curves: readonly Curve[]
  readonly sheets: readonly SampleSheet[]
  /** Oldest first. */
  readonly messages: readonly JobEvent[]
  readonly lastEvent: string | null
}

export const NOTHING_TOLD: JobRecord = { progress: null, curves: [], sheets: [], messages: [], lastEvent: null }

/** With events that came after those that are known. A job that was taken up again tells steps again: the newer count. */
export function withEvents(record: JobRecord, events: readonly JobEvent[]): JobRecord {
  let { progress } = record
  const points = new Map(record.curves.map((curve) => [curve.name, pointsOf(curve)]))
  const sheets = new Map(record.sheets.map((sheet) => [sheet.step, sheet]))
  const messages = [...record.messages]
  const put = (step: number, part: 'train' | 'valid', numbers: Readonly<Record<string, number>>) => {
    for (const [name, value] of Object.entries(numbers)) {
      const of = points.get(name) ?? new Map<number, Point>()
      points.set(name, of)
      of.set(step, { ...(of.get(step) ?? { train: null, valid: null }), [part]: value })
    }
  }
  for (const event of events) {
    const { data } = event
    if (!data) messages.push(event)
    else if ('train' in data) {
      progress = data
      put(data.step, 'train', data.train)
    } else if ('valid' in data) put(data.step, 'valid', data.valid)
    else sheets.set(data.step, { step: data.step, fileId: data.samples })
  }
  return {
    progress,
    curves: [...points].map(([name, of]) => curveOf(name, of)),
    sheets: [...sheets.values()].sort((a, b) => a.step - b.step),
    messages,
    lastEvent: events.at(-1)?.id ?? record.lastEvent,
  }
}

interface Point {
  readonly train: number | null
  readonly valid: number | null
}

function pointsOf({ steps, train, valid }: Curve): Map<number, Point> {
  return new Map(steps.map((step, i) => [step, { train: train[i] ?? null, valid: valid[i] ?? null }]))
}

function curveOf(name: string, points: ReadonlyMap<number, Point>): Curve {
  const sorted = [...points].sort(([a], [b]) => a - b)
  return {
    name,
    steps: sorted.map(([step]) => step),
    train: sorted.map(([, { train }]) => train),
    valid: sorted.map(([, { valid }]) => valid),
  }
}

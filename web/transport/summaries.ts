/** `POST /v1/summaries`, streamed. */
import * as v from 'valibot'
import { eventOf } from './event-of.ts'
import { RequestFailure } from './failure.ts'
import type { Http } from './http.ts'
import { readEvents } from './sse.ts'

/** UTF-16 code units of the text. */
const spanSchema = v.object({ start: v.number(), end: v.number() })
export type Span = v.InferOutput<typeof spanSchema>
const sentenceSchema = v.object({ text: v.string(), source: v.array(spanSchema) })
/** Of a summary, and where in the text it comes from. */
export type SummarySentence = v.InferOutput<typeof sentenceSchema>

const summarySchema = v.object({
  object: v.literal('summary'),
  sentences: v.array(sentenceSchema),
  /** Of a file: its text, in which the places are. */
  input: v.optional(v.string()),
  model: v.string(),
  unsupported: v.optional(v.number(), 0),
  degraded: v.optional(v.boolean(), false),
})
export type Summary = v.InferOutput<typeof summarySchema>
const eventSchema = v.variant('object', [
  v.object({ object: v.literal('summary.progress'), done: v.number(), total: v.number() }),
  v.object({ object: v.literal('summary.sentence'), index: v.number(), sentence: sentenceSchema }),
  summarySchema,
])
export type SummaryEvent = v.InferOutput<typeof eventSchema>

export type Style = 'extractive' | 'abstractive'
export type Length = { readonly sentences: number } | { readonly words: number }

/** A text, or a file of it that was uploaded. */
export type Source = { readonly input: string } | { readonly file_id: string }

export interface SummaryRequest {
  readonly source: Source
  readonly style: Style
  readonly length: Length
  /** BCP 47. */
  readonly language: string
}

/**
 * Yields what is read and what is said as it comes, and last the summary.
 * @throws RequestFailure `broken` where the stream ends before it
 */
export async function* summarise(
  http: Http,
  request: SummaryRequest,
  signal: AbortSignal,
): AsyncGenerator<SummaryEvent, void, undefined> {
  const { source, ...how } = request
  const body = { ...source, ...how, stream: true }
  const response = await http.send('POST', '/v1/summaries', { body, signal })
  if (!response.body) throw new RequestFailure('broken')
  for await (const data of readEvents(response.body)) {
    const event = eventOf(eventSchema, data)
    yield event
    if (event.object === 'summary') return
  }
  signal.throwIfAborted()
  throw new RequestFailure('broken')
}

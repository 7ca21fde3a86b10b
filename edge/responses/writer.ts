/**
 * What a response's stream tells, from what its runner says. A pure function of the record and the entries taken, so
 * that the same log gives the same events, byte for byte, whoever reads them and whenever.
 */

import type { ChatLogprobs } from '#protocol/chat.ts'
import type { ErrorDetail } from '#protocol/error.ts'
import type { GenerationEvent } from '#protocol/generation.ts'
import type { CallItem, MessageItem, Response, ResponseEvent } from '#protocol/responses.ts'
import { toLogprobs } from '../generations/logprobs.ts'
import { toTimings } from '../generations/usage.ts'
import type { ResponseRecord } from './record.ts'

/** What happens to a response, in order. */
export type LogEntry =
  | { readonly type: 'generation'; readonly event: GenerationEvent; readonly at: number }
  | { readonly type: 'failed'; readonly error: ErrorDetail; readonly at: number }
  | { readonly type: 'cancelled'; readonly at: number }

type Event<T extends GenerationEvent['type']> = Extract<GenerationEvent, { type: T }>
type TextPart = MessageItem['content'][number]

interface OpenMessage {
  readonly item: MessageItem
  readonly part: TextPart
  readonly index: number
}
interface OpenCall {
  readonly item: CallItem
  readonly index: number
}

/** OpenAI's codes for why a response failed. */
const TOO_MUCH = new Set(['rate_limit_exceeded', 'queue_full'])

export class ResponseWriter {
  readonly #record: ResponseRecord
  #response: Response
  /** The message or the call that is being written, and its place. */
  #open: OpenMessage | OpenCall | undefined

  constructor(record: ResponseRecord) {
    this.#record = record
    this.#response = record.response
  }

  /** The response as it is now, with the item that is being written. */
  get response(): Response {
    if (!this.#open) return this.#response
    return { ...this.#response, output: [...this.#response.output, withStatus(this.#open, 'in_progress')] }
  }

  get ended(): boolean {
    return this.#response.status !== 'queued' && this.#response.status !== 'in_progress'
  }

  /** The first events, before anything has been generated. */
  begin(): ResponseEvent[] {
    const response = this.#response
    const queued: ResponseEvent[] = response.status === 'queued' ? [{ type: 'response.queued', response }] : []
    return [{ type: 'response.created', response }, ...queued]
  }

  take(entry: LogEntry): ResponseEvent[] {
    if (this.ended) return []
    switch (entry.type) {
      case 'cancelled':
        return [...this.#close('incomplete'), this.#end('response.incomplete', { status: 'cancelled' })]
      case 'failed':
        return this.#fail(entry.error)
      case 'generation':
        return this.#generated(entry.event, entry.at)
    }
  }

  #generated(event: GenerationEvent, at: number): ResponseEvent[] {
    switch (event.type) {
      case 'generation-start': {
        // A response that is taken up again has begun already.
        if (this.#response.system_fingerprint !== null) return []
        const { model, fingerprint } = event
        this.#response = { ...this.#response, status: 'in_progress', model, system_fingerprint: fingerprint }
        return [{ type: 'response.in_progress', response: this.#response }]
      }
      case 'text-delta':
        return this.#text(event)
      case 'tool-call-start':
        return this.#call(event)
      case 'tool-call-delta':
        return this.#arguments(event)
      case 'generation-error':
        return this.#fail(event.error)
      case 'generation-finish':
        return this.#finish(event, at)
    }
  }

  #text({ text, tokens }: Event<'text-delta'>): ResponseEvent[] {
    const opening = this.#open && 'part' in this.#open ? [] : this.#openMessage()
    if (!this.#open || !('part' in this.#open)) return opening
    const { item, part, index } = this.#open
    const logprobs = this.#record.logprobs ? toLogprobs(tokens ?? []).content.map(withBytes) : []
    this.#open = { item, part: { ...part, text: part.text + text, logprobs: [...part.logprobs, ...logprobs] }, index }
    const place = { item_id: item.id, output_index: index, content_index: 0 }
    return [...opening, { type: 'response.output_text.delta', ...place, delta: text, logprobs }]
  }

  #openMessage(): ResponseEvent[] {
    const closing = this.#close('completed')
    const index = this.#response.output.length
    const item: MessageItem = {
      id: this.#id('msg', index),
      type: 'message',
      role: 'assistant',
      status: 'in_progress',
      content: [],
    }
    const part: TextPart = { type: 'output_text', text: '', annotations: [], logprobs: [] }
    this.#open = { item, part, index }
    return [
      ...closing,
      { type: 'response.output_item.added', output_index: index, item },
      { type: 'response.content_part.added', item_id: item.id, output_index: index, content_index: 0, part },
    ]
  }

  #call({ name }: Event<'tool-call-start'>): ResponseEvent[] {
    const closing = this.#close('completed')
    const index = this.#response.output.length
    const item: CallItem = {
      id: this.#id('fc', index),
      type: 'function_call',
      call_id: this.#id('call', index),
      name,
      arguments: '',
      status: 'in_progress',
    }
    this.#open = { item, index }
    return [...closing, { type: 'response.output_item.added', output_index: index, item }]
  }

  #arguments({ arguments: delta }: Event<'tool-call-delta'>): ResponseEvent[] {
    if (!this.#open || 'part' in this.#open) return []
    const { item, index } = this.#open
    this.#open = { item: { ...item, arguments: item.arguments + delta }, index }
    return [{ type: 'response.function_call_arguments.delta', item_id: item.id, output_index: index, delta }]
  }

  #finish({ finishReason, usage, timings }: Event<'generation-finish'>, at: number): ResponseEvent[] {
    const opening = !this.#open && this.#response.output.length === 0 ? this.#openMessage() : []
    const whole = finishReason !== 'length'
    const { promptTokens, completionTokens, cachedTokens } = usage
    const closing = this.#close(whole ? 'completed' : 'incomplete')
    const ending = this.#end(whole ? 'response.completed' : 'response.incomplete', {
      status: whole ? 'completed' : 'incomplete',
      completed_at: whole ? Math.floor(at / 1000) : null,
      incomplete_details: whole ? null : { reason: 'max_output_tokens' },
      usage: {
        input_tokens: promptTokens,
        input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: 0 },
        output_tokens: completionTokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: promptTokens + completionTokens,
      },
      timings: toTimings(timings),
    })
    return [...opening, ...closing, ending]
  }

  #fail({ code, message }: ErrorDetail): ResponseEvent[] {
    const isTooMuch = code !== null && TOO_MUCH.has(code)
    const error = { code: isTooMuch ? ('rate_limit_exceeded' as const) : ('server_error' as const), message }
    return [...this.#close('incomplete'), this.#end('response.failed', { status: 'failed', error })]
  }

  #end(type: 'response.completed' | 'response.incomplete' | 'response.failed', change: Partial<Response>) {
    this.#response = { ...this.#response, ...change }
    return { type, response: this.#response } as const
  }

  #close(status: 'completed' | 'incomplete'): ResponseEvent[] {
    const open = this.#open
    if (!open) return []
    const item = withStatus(open, status)
    this.#open = undefined
    this.#response = { ...this.#response, output: [...this.#response.output, item] }
    const of = { item_id: item.id, output_index: open.index }
    const done: ResponseEvent = { type: 'response.output_item.done', output_index: open.index, item }
    if (!('part' in open)) {
      const { name, arguments: given } = open.item
      return [{ type: 'response.function_call_arguments.done', ...of, name, arguments: given }, done]
    }
    const { part } = open
    const place = { ...of, content_index: 0 }
    return [
      { type: 'response.output_text.done', ...place, text: part.text, logprobs: part.logprobs },
      { type: 'response.content_part.done', ...place, part },
      done,
    ]
  }

  #id(prefix: string, index: number): string {
    return `${prefix}_${this.#record.response.id.replace(/^resp_/, '')}${index.toString(16).padStart(2, '0')}`
  }
}

/** Responses have a list where chat completions have null. */
function withBytes({ top_logprobs, ...token }: ChatLogprobs['content'][number]): TextPart['logprobs'][number] {
  return {
    ...token,
    bytes: token.bytes ?? [],
    top_logprobs: top_logprobs.map((other) => ({ ...other, bytes: other.bytes ?? [] })),
  }
}

function withStatus(open: OpenMessage | OpenCall, status: MessageItem['status']): MessageItem | CallItem {
  return 'part' in open ? { ...open.item, content: [open.part], status } : { ...open.item, status }
}

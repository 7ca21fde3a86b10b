/** `/v1/responses` as OpenAI's own client has it, with a real model. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import type { ResponseStreamEvent, Response as TheirResponse } from 'openai/resources/responses/responses'
import type { ResponseEvent, Response as OurResponse } from '#protocol/responses.ts'
import { MODEL } from '../support/model.ts'
import { openai } from '../support/shared.ts'

const client = openai()
const ASK = { model: MODEL, input: 'Count to ten.', seed: 3, max_output_tokens: 24, ignore_eos: true }

/** What the compiler has to say to it: whatever Tandem gives is what OpenAI's types promise. `text` is as it was asked; what
 * there is nothing of is null, as it is in OpenAI's answers. */
type Loose = 'output_text' | 'text' | 'usage' | 'user'
type Promised = Omit<TheirResponse, Loose> & { usage: TheirResponse['usage'] | null; user: string | null }
type Numbered<E> = E extends unknown ? Omit<E, 'response'> & { sequence_number: number } : never
const isPromised = (response: OurResponse): Promised => response
const isPromisedEvent = (event: Numbered<Exclude<ResponseEvent, { response: OurResponse }>>): ResponseStreamEvent =>
  event
const TERMINAL: readonly ResponseStreamEvent['type'][] = [
  'response.completed',
  'response.incomplete',
  'response.failed',
]

test('a response has all that OpenAI’s types promise, and what it was asked with', async () => {
  const asked = { ...ASK, metadata: { a: 'b' }, safety_identifier: 's', prompt_cache_key: 'k', temperature: 0.5 }
  const response = await client.responses.create(asked)
  isPromised(response as unknown as OurResponse)
  for (const name of [
    'metadata',
    'safety_identifier',
    'prompt_cache_key',
    'temperature',
    'max_output_tokens',
  ] as const) {
    assert.deepEqual(response[name], asked[name], name)
  }
  assert.deepEqual([response.status, response.incomplete_details], ['incomplete', { reason: 'max_output_tokens' }])
  assert.deepEqual(response.usage?.input_tokens_details.cache_write_tokens, 0)
  const { data } = await client.responses.inputItems.list(response.id, { include: ['message.output_text.logprobs'] })
  assert.equal(data.length, 1)
  const read = await client.responses.retrieve(response.id, { include: ['message.output_text.logprobs'] })
  assert.deepEqual(read, response)
  assert.deepEqual(await client.responses.delete(response.id), { id: response.id, object: 'response', deleted: true })
  await assert.rejects(client.responses.retrieve(response.id), OpenAI.NotFoundError)
})

test('the same seed has the same text, whole, streamed, kept nowhere, and from any event on', async () => {
  const whole = await client.responses.create(ASK)
  const events: ResponseStreamEvent[] = []
  for await (const event of await client.responses.create({ ...ASK, stream: true })) {
    if (!('response' in event)) isPromisedEvent(event as never)
    events.push(event)
  }
  assert.deepEqual(
    events.map(({ sequence_number }) => sequence_number),
    events.map((_, i) => i),
  )
  assert.equal(events.filter(({ type }) => TERMINAL.includes(type)).length, 1)
  const [first, last] = [events[0], events.at(-1)]
  assert.ok(first?.type === 'response.created' && last?.type === 'response.incomplete')
  const said = events.flatMap((event) => (event.type === 'response.output_text.delta' ? event.delta : [])).join('')
  assert.equal(said, whole.output_text)
  assert.equal((await client.responses.create({ ...ASK, store: false })).output_text, whole.output_text)
  const stream = client.responses.stream({ response_id: first.response.id, starting_after: 7 })
  assert.equal((await stream.finalResponse()).output_text, whole.output_text)
})

test('in the background it is queued, is answered, and can be cancelled', async () => {
  const queued = await client.responses.create({ ...ASK, background: true, max_output_tokens: 2000 })
  assert.equal(queued.status, 'queued')
  for await (const event of await client.responses.retrieve(queued.id, { stream: true })) {
    if (event.type === 'response.output_text.delta') break
  }
  const cancelled = await client.responses.cancel(queued.id)
  assert.equal(cancelled.status, 'cancelled')
  const read = await client.responses.retrieve(queued.id)
  assert.deepEqual([read.status, read.output], [cancelled.status, cancelled.output])
})

test('conversations: what is asked and answered is there, and its items are OpenAI’s', async () => {
  const { id } = await client.conversations.create({ items: [{ type: 'message', role: 'user', content: 'I am Ann.' }] })
  const response = await client.responses.create({ ...ASK, conversation: id, input: 'Who am I?' })
  assert.deepEqual(response.conversation, { id })
  const { data } = await client.conversations.items.list(id, { order: 'asc', include: ['reasoning.encrypted_content'] })
  const shown = data.map((item) => item.type === 'message' && [item.role, item.content.map(({ type }) => type)])
  assert.deepEqual(shown, [
    ['user', ['input_text']],
    ['user', ['input_text']],
    ['assistant', ['output_text']],
  ])
  assert.equal((await client.conversations.delete(id)).deleted, true)
})

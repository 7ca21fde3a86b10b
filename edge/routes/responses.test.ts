import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI from 'openai'
import { ApiError } from '#protocol/error.ts'
import type { Response as ApiResponse } from '#protocol/responses.ts'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'
import { begin, finish, hangsAfter, refuses, START, says, saysResumably, send } from '../testing/stub-runner.ts'

const WORDS = ['One', ' two', ' three', ' four', ' five', ' six']
const TEXT = WORDS.join('')
const ASK = { model: 'stub', input: 'Count', seed: 7 }

interface Sent {
  type: string
  sequence_number: number
  delta?: string
  response?: ApiResponse
}

function eventsOf(sse: string): Sent[] {
  return [...sse.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as Sent)
}

describe('/v1/responses', () => {
  let edge: Edge
  let client: OpenAI
  before(async () => {
    edge = await startEdge()
    client = new OpenAI({ apiKey: edge.key, baseURL: `${edge.url}/v1`, maxRetries: 0 })
  })
  after(() => edge.stop())

  const create = async (body: object = {}, headers = {}) => {
    const response = await edge.ask('/v1/responses', { body: { ...ASK, ...body }, headers })
    assert.equal(response.status, 200, await response.clone().text())
    return (await response.json()) as ApiResponse
  }
  const stream = async (id: string, after?: number) => {
    const query = after === undefined ? '' : `&starting_after=${after}`
    const response = await edge.ask(`/v1/responses/${id}?stream=true${query}`)
    assert.equal(response.status, 200)
    return response.text()
  }

  test('answers whole, and is kept', async () => {
    edge.runner.script = saysResumably(WORDS)
    const made = await client.responses.create(ASK)
    assert.equal(made.output_text, TEXT)
    assert.equal(made.status, 'completed')
    assert.equal(made.usage?.output_tokens, WORDS.length)
    const read = await client.responses.retrieve(made.id)
    assert.deepEqual(read.output, made.output)
    const { data } = await client.responses.inputItems.list(made.id)
    assert.deepEqual(
      data.map((item) => item.type === 'message' && item.content[0]),
      [{ type: 'input_text', text: 'Count' }],
    )
    assert.deepEqual(await client.responses.delete(made.id), { id: made.id, object: 'response', deleted: true })
    await assert.rejects(client.responses.retrieve(made.id), OpenAI.NotFoundError)
  })

  test('streams typed events in order', async () => {
    edge.runner.script = saysResumably(['Hi', '!'])
    const types: string[] = []
    for await (const event of await client.responses.create({ ...ASK, stream: true })) {
      assert.equal(event.sequence_number, types.length)
      types.push(event.type)
    }
    assert.deepEqual(types, [
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
  })

  test('gives the same bytes from any event on', async () => {
    edge.runner.script = saysResumably(WORDS)
    const { id } = await create()
    const whole = await stream(id)
    const parts = whole.split(/(?<=\n\n)/)
    for (let n = 0; n < parts.length; n++) assert.equal(await stream(id, n), parts.slice(n + 1).join(''))
    const byHeader = await edge.ask(`/v1/responses/${id}?stream=true`, { headers: { 'last-event-id': '3' } })
    assert.equal(await byHeader.text(), parts.slice(4).join(''))
  })

  test('gives the same bytes after its edge was killed, from any event on, also of what was not over', async () => {
    edge.runner.script = hangsAfter(
      START,
      ...WORDS.slice(0, 4).map((text, i) => ({ type: 'text-delta' as const, text, ids: [i] })),
    )
    const { id } = await create({ background: true, include: ['message.output_text.logprobs'] })
    const first = await edge.ask(`/v1/responses/${id}?stream=true`)
    let seen = ''
    for await (const chunk of first.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      seen += chunk
      if (seen.includes(WORDS[3] ?? '')) break
    }
    edge.runner.script = saysResumably(WORDS)
    await edge.kill()
    const whole = await stream(id)
    assert.ok(whole.startsWith(seen), 'what was told stays')
    assert.equal(eventsOf(whole).at(-1)?.response?.status, 'completed')
    await edge.kill()
    const parts = whole.split(/(?<=\n\n)/)
    assert.ok(parts.length > WORDS.length + 6)
    for (let n = -1; n < parts.length; n++)
      assert.equal(await stream(id, n < 0 ? undefined : n), parts.slice(n + 1).join(''))
  })

  test('goes on when its reader leaves, for any number of others', async () => {
    const go = Promise.withResolvers<void>()
    edge.runner.script = async (response) => {
      begin(response, START, { type: 'text-delta', text: 'One', ids: [0] })
      await go.promise
      send(response, { type: 'text-delta', text: ' two', ids: [1] })
      send(response, finish(2))
      response.end()
    }
    const leaving = new AbortController()
    const first = await edge.ask('/v1/responses', { body: { ...ASK, stream: true }, signal: leaving.signal })
    const reader = first.body?.getReader()
    assert.ok(reader)
    let seen = ''
    while (!seen.includes('One')) seen += new TextDecoder().decode((await reader.read()).value)
    leaving.abort()
    const id = eventsOf(seen)[0]?.response?.id ?? ''
    const others = [stream(id), stream(id, 2)]
    await new Promise((resolve) => setTimeout(resolve, 50))
    go.resolve()
    const [whole = '', rest = ''] = await Promise.all(others)
    assert.equal(eventsOf(whole).at(-1)?.response?.status, 'completed')
    assert.ok(whole.endsWith(rest))
    assert.equal(edge.runner.calls.at(-1)?.request.resume?.events, 0)
  })

  test('is taken up again from its tokens when a runner dies', async () => {
    edge.runner.script = saysResumably(WORDS, 2, 4)
    const calls = edge.runner.calls.length
    const response = await create()
    const asked = edge.runner.calls.slice(calls).map(({ request }) => request)
    assert.deepEqual(
      asked.map(({ resume }) => resume),
      [
        { tokens: [], events: 0 },
        { tokens: [0, 1], events: 2 },
        { tokens: [0, 1, 2, 3], events: 4 },
      ],
    )
    assert.equal(new Set(asked.map(({ seed }) => seed)).size, 1)
    assert.equal((await client.responses.retrieve(response.id)).output_text, TEXT)
    const deltas = eventsOf(await stream(response.id)).flatMap(({ delta }) => delta ?? [])
    assert.deepEqual(deltas, WORDS)
  })

  test('ends in one error when runners keep dying of it', async () => {
    edge.runner.script = saysResumably(WORDS, 1, 2, 3, 4)
    const { id, status, error } = await create()
    assert.equal(status, 'failed')
    assert.equal(error?.code, 'server_error')
    const types = eventsOf(await stream(id)).map(({ type }) => type)
    assert.equal(types.filter((type) => /completed|failed|incomplete/.test(type)).length, 1)
    assert.equal(types.at(-1), 'response.failed')
  })

  test('stops when it is cancelled, with what it has', async () => {
    edge.runner.script = hangsAfter(START, { type: 'text-delta', text: 'Half', ids: [0] })
    const { id } = await create({ background: true })
    const call = edge.runner.calls.at(-1) ?? (await edge.runner.nextCall())
    while (!(await client.responses.retrieve(id)).output_text) await new Promise((resolve) => setTimeout(resolve, 5))
    const reading = stream(id)
    const cancelled = await client.responses.cancel(id)
    assert.equal(cancelled.status, 'cancelled')
    assert.equal((await client.responses.retrieve(id)).output_text, 'Half')
    assert.equal(eventsOf(await reading).at(-1)?.type, 'response.incomplete')
    await call.closed
    assert.equal((await client.responses.cancel(id)).status, 'cancelled')
  })

  test('refuses as the runner does, and keeps nothing', async () => {
    edge.runner.script = refuses(
      new ApiError('context_length_exceeded', "too much in 'messages'", { param: 'messages' }),
    )
    const refused = await errorOf(await edge.ask('/v1/responses', { body: ASK }))
    assert.deepEqual([refused.status, refused.code, refused.param], [400, 'context_length_exceeded', 'input'])
    edge.runner.script = refuses(new ApiError('queue_full', 'full', { retryAfter: 3 }))
    const full = await edge.ask('/v1/responses', { body: ASK })
    assert.deepEqual([full.status, full.headers.get('retry-after')], [429, '3'])
  })

  test('in the background it waits for a runner', async () => {
    edge.runner.script = refuses(new ApiError('runner_unavailable', 'away'))
    const { id, status } = await create({ background: true })
    assert.equal(status, 'queued')
    edge.runner.script = saysResumably(WORDS)
    assert.equal(eventsOf(await stream(id)).at(-1)?.response?.status, 'completed')
  })

  test('follows an earlier response, with what was said in it', async () => {
    edge.runner.script = saysResumably(WORDS)
    const first = await create()
    await create({ previous_response_id: first.id, input: 'And then?' })
    assert.deepEqual(edge.runner.calls.at(-1)?.request.prompt, {
      type: 'chat',
      messages: [
        { role: 'user', content: 'Count' },
        { role: 'assistant', content: TEXT },
        { role: 'user', content: 'And then?' },
      ],
    })
  })

  test('truncation leaves out as few of the earliest turns as it takes, of its own input, too', async () => {
    edge.runner.script = saysResumably(WORDS)
    // A token a byte, in a context of 2048.
    const turn = (i: number) => [
      { role: 'user', content: `${i}`.padEnd(300, 'x') },
      { role: 'assistant', content: `${i}`.padEnd(200, 'y') },
    ]
    const input = [...[0, 1, 2, 3, 4].flatMap(turn), { role: 'user', content: 'Last' }]
    const asked = { input, instructions: 'Be brief.', max_output_tokens: 40 }
    const long = { ...asked, truncation: 'auto' }
    const { id, truncation } = await create(long)
    assert.equal(truncation, 'auto')
    const beginnings = () => {
      const prompt = edge.runner.calls.at(-1)?.request.prompt
      return prompt?.type === 'chat' ? prompt.messages.map(({ content }) => content?.replace(/[xy]{2,}$/, '')) : []
    }
    assert.deepEqual(beginnings(), ['Be brief.', '2', '2', '3', '3', '4', '4', 'Last'])
    await create({ ...asked, input: 'And then?', previous_response_id: id, truncation: 'auto' })
    assert.deepEqual(beginnings(), ['Be brief.', '2', '2', '3', '3', '4', '4', 'Last', TEXT, 'And then?'])
  })

  test('answers in a conversation, which is locked meanwhile', async () => {
    const conversation = await client.conversations.create()
    edge.runner.script = hangsAfter(START, { type: 'text-delta', text: 'Half', ids: [0] })
    const { id } = await create({ conversation: conversation.id, background: true })
    const locked = await errorOf(await edge.ask('/v1/responses', { body: { ...ASK, conversation: conversation.id } }))
    assert.deepEqual([locked.status, locked.code], [409, 'conversation_locked'])
    for await (const event of await client.responses.retrieve(id, { stream: true })) {
      if (event.type === 'response.output_text.delta') break
    }
    await client.responses.cancel(id)
    edge.runner.script = saysResumably(WORDS)
    await create({ conversation: { id: conversation.id }, input: 'Again' })
    const { data } = await client.conversations.items.list(conversation.id, { order: 'asc' })
    const texts = data.flatMap((item) =>
      item.type === 'message' ? item.content.map((part) => ('text' in part ? part.text : '')) : [],
    )
    assert.deepEqual(texts, ['Count', 'Half', 'Again', TEXT])
  })

  test('calls functions, and goes on from what they gave', async () => {
    edge.runner.script = (response) => {
      begin(
        response,
        START,
        { type: 'tool-call-start', index: 0, name: 'add', ids: [0] },
        { type: 'tool-call-delta', index: 0, arguments: '{"a":1}', ids: [1] },
        { ...finish(2), finishReason: 'tool-calls' } as ReturnType<typeof finish>,
      )
      response.end()
    }
    const tools = [{ type: 'function', name: 'add', parameters: { type: 'object' }, strict: true }]
    const called = await create({ tools })
    const [call] = called.output
    assert.ok(call?.type === 'function_call')
    assert.deepEqual([call.name, call.arguments, call.status], ['add', '{"a":1}', 'completed'])
    edge.runner.script = says('2')
    const output = { type: 'function_call_output', call_id: call.call_id, output: '2' }
    await create({ previous_response_id: called.id, input: [output], tools })
    const prompt = edge.runner.calls.at(-1)?.request.prompt
    assert.ok(prompt?.type === 'chat')
    assert.deepEqual(
      prompt.messages.map(({ role }) => role),
      ['user', 'assistant', 'tool'],
    )
    const missing = await errorOf(await edge.ask('/v1/responses', { body: { ...ASK, input: [output] } }))
    assert.deepEqual([missing.status, missing.param], [400, 'input'])
  })

  test('with the same Idempotency-Key is one response', async () => {
    edge.runner.script = saysResumably(WORDS)
    const headers = { 'idempotency-key': 'once' }
    const calls = edge.runner.calls.length
    const [a, b] = await Promise.all([create({}, headers), create({}, headers)])
    assert.deepEqual(a, b)
    assert.equal(edge.runner.calls.length, calls + 1)
    const other = await edge.ask('/v1/responses', { body: { ...ASK, input: 'Other' }, headers })
    assert.equal((await errorOf(other)).code, 'idempotency_key_reused')
  })

  test('with the same Idempotency-Key, of one that is refused, is asked for anew', async () => {
    const headers = { 'idempotency-key': 'refused' }
    let refusals = 0
    const go = Promise.withResolvers<void>()
    edge.runner.script = async (response, call) => {
      refusals++
      await go.promise
      refuses(new ApiError('queue_full', 'full', { retryAfter: 3 }))(response, call)
    }
    const both = [1, 2].map(() => edge.ask('/v1/responses', { body: ASK, headers }))
    await edge.runner.nextCall()
    await new Promise((resolve) => setTimeout(resolve, 50))
    go.resolve()
    for (const asked of both) assert.equal((await errorOf(await asked)).code, 'queue_full')
    assert.equal(refusals, 2)
    edge.runner.script = saysResumably(WORDS)
    const sse = await (await edge.ask('/v1/responses', { body: { ...ASK, stream: true }, headers })).text()
    const numbers = eventsOf(sse).map(({ sequence_number }) => sequence_number)
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i),
    )
    assert.equal(eventsOf(sse).filter(({ type }) => type === 'response.created').length, 1)
    await edge.kill()
    assert.equal(await stream(eventsOf(sse)[0]?.response?.id ?? ''), sse)
  })

  test('is nobody else’s', async () => {
    edge.runner.script = saysResumably(WORDS)
    const { id } = await create()
    const { key } = await edge.newKey({ owner: 'another' })
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '?stream=true'],
      ['GET', '/input_items'],
      ['POST', '/cancel'],
      ['DELETE', ''],
    ] as const) {
      const refused = await errorOf(await edge.ask(`/v1/responses/${id}${path}`, { method, key }))
      assert.equal(refused.status, 404, `${method} ${path}`)
    }
    const body = { ...ASK, previous_response_id: id }
    assert.equal((await errorOf(await edge.ask('/v1/responses', { body, key }))).status, 404)
    assert.equal((await client.responses.retrieve(id)).status, 'completed')
  })

  test('is kept nowhere with store: false, and ends with its reader', async () => {
    edge.runner.script = hangsAfter(START, { type: 'text-delta', text: 'Half', ids: [0] })
    const leaving = new AbortController()
    const asked = edge.runner.nextCall()
    const response = await edge.ask('/v1/responses', {
      body: { ...ASK, store: false, stream: true },
      signal: leaving.signal,
    })
    const reader = response.body?.getReader()
    const { value } = (await reader?.read()) ?? {}
    const id = eventsOf(new TextDecoder().decode(value))[0]?.response?.id
    leaving.abort()
    await (await asked).closed
    assert.equal((await edge.ask(`/v1/responses/${id}`)).status, 404)
  })
})

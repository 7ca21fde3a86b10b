/** Responses in conversations: whoever hears of an answer's end finds it there, and so does the next question. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { Response as ApiResponse } from '#protocol/responses.ts'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'
import { finish, hangsAfter, START, saysResumably, streams } from '../testing/stub-runner.ts'

const ROUNDS = 6

describe('a response in a conversation', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
  })
  after(() => edge.stop())
  beforeEach(() => {
    edge.runner.script = saysResumably(['One', ' two'])
  })

  const json = async <T>(path: string, body?: object) => {
    const response = await edge.ask(path, body && { body })
    assert.equal(response.status, 200, await response.clone().text())
    return (await response.json()) as T
  }
  const newConversation = async () => (await json<{ id: string }>('/v1/conversations', {})).id
  const asking = (conversation: string, more: object = {}) => ({ model: 'stub', input: 'Count', conversation, ...more })
  const texts = async (conversation: string) => {
    const { data } = await json<{ data: { content: { text: string }[] }[] }>(
      `/v1/conversations/${conversation}/items?order=asc&limit=100`,
    )
    return data.map(({ content }) => content.map(({ text }) => text).join(''))
  }
  const until = async (isSo: () => Promise<boolean>) => {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  for (const stream of [false, true]) {
    test(`is there when its end is told, ${stream ? 'as an event' : 'whole'}, and in what the next one follows`, async () => {
      const conversation = await newConversation()
      for (let round = 0; round < ROUNDS; round++) {
        const response = await edge.ask('/v1/responses', { body: asking(conversation, { stream }) })
        assert.equal(response.status, 200, `round ${round}`)
        if (stream) assert.match(await response.text(), /event: response\.completed\n/)
        else assert.equal(((await response.json()) as ApiResponse).status, 'completed')
        const prompt = edge.runner.calls.at(-1)?.request.prompt
        assert.ok(prompt?.type === 'chat')
        assert.equal(prompt.messages.length, 2 * round + 1)
      }
      assert.deepEqual(await texts(conversation), Array.from({ length: ROUNDS }, () => ['Count', 'One two']).flat())
    })
  }

  test('is there when a poll says that it has ended', async () => {
    const conversation = await newConversation()
    for (let round = 1; round <= ROUNDS; round++) {
      const { id } = await json<ApiResponse>('/v1/responses', asking(conversation, { background: true }))
      await until(async () => (await json<ApiResponse>(`/v1/responses/${id}`)).status === 'completed')
      assert.equal((await texts(conversation)).length, 2 * round)
    }
  })

  test('that was cut at its limit is told from one that was stopped: listed, in a branch, and where it is shared', async () => {
    const conversation = await newConversation()
    edge.runner.script = streams(START, { type: 'text-delta', text: 'One', ids: [0] }, finish(1, 'length'))
    const cut = await json<ApiResponse>('/v1/responses', asking(conversation, { max_output_tokens: 1 }))
    assert.deepEqual(cut.incomplete_details, { reason: 'max_output_tokens' })
    edge.runner.script = hangsAfter(START, { type: 'text-delta', text: 'Half', ids: [0] })
    const { id } = await json<ApiResponse>('/v1/responses', asking(conversation, { background: true }))
    await until(async () => (await json<ApiResponse>(`/v1/responses/${id}`)).output.length > 0)
    await json(`/v1/responses/${id}/cancel`, {})
    interface Message {
      id: string
      status: string
      incomplete_details?: { reason: string }
    }
    const messages = async (path: string) => (await json<{ data: Message[] }>(path)).data
    const list = `/v1/conversations/${conversation}/items?order=asc`
    const items = await messages(list)
    const reasons = (found: Message[]) =>
      found.map(({ status, incomplete_details }) => [status, incomplete_details?.reason])
    const expected = [
      ['completed', undefined],
      ['incomplete', 'max_output_tokens'],
      ['completed', undefined],
      ['incomplete', undefined],
    ]
    assert.deepEqual(reasons(items), expected)
    const branch = await json<{ id: string }>(`/v1/conversations/${conversation}/branch`, { item_id: items[3]?.id })
    assert.deepEqual(reasons(await messages(`/v1/conversations/${branch.id}/items?order=asc`)), expected)
    const share = await json<{ url: string }>(`/v1/conversations/${conversation}/share`, {})
    const token = new URL(share.url).pathname.split('/').at(-1)
    assert.deepEqual(reasons(await messages(`/v1/shared/${token}`)), expected)
    const exported = await edge.ask(`/v1/conversations/${conversation}/export?format=markdown`)
    assert.match(await exported.text(), / \(cut at its limit\)\n\nOne\n.+ \(stopped\)\n\nHalf\n/s)
    const whole = await json<{ items: object[] }>(`/v1/conversations/${conversation}/export?format=json`)
    const again = whole.items.map((item) => ({ ...item, id: undefined }))
    const copy = await json<{ id: string }>('/v1/conversations', { items: again })
    assert.deepEqual(reasons(await messages(`/v1/conversations/${copy.id}/items?order=asc`)), expected)
  })

  test('is one at a time, however many ask at once', async () => {
    const conversation = await newConversation()
    edge.runner.script = hangsAfter(START, { type: 'text-delta', text: 'Half', ids: [0] })
    const made = await Promise.all(
      Array.from({ length: 8 }, () => edge.ask('/v1/responses', { body: asking(conversation, { background: true }) })),
    )
    const statuses = made.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [200, ...Array.from({ length: 7 }, () => 409)])
    const [begun] = made.filter(({ status }) => status === 200)
    assert.ok(begun)
    const { id } = (await begun.json()) as ApiResponse
    await json(`/v1/responses/${id}/cancel`, {})
    assert.equal((await texts(conversation)).filter((text) => text === 'Count').length, 1)
  })

  test('frees its turn when its edge was killed before it began', async () => {
    const conversation = await newConversation()
    const begin = (response: string, at: number) =>
      edge.database
        .prepare('INSERT INTO turns (response_id, conversation_id, created_at) VALUES (?, ?, ?)')
        .bind(response, conversation, at)
        .run()
    await begin(`resp_${'0'.repeat(32)}`, Date.now())
    const locked = await errorOf(await edge.ask('/v1/responses', { body: asking(conversation) }))
    assert.deepEqual([locked.status, locked.code], [409, 'conversation_locked'])
    await edge.database.prepare('DELETE FROM turns').run()
    await begin(`resp_${'1'.repeat(32)}`, Date.now() - 60_000)
    await json('/v1/responses', asking(conversation))
    assert.deepEqual(await texts(conversation), ['Count', 'One two'])
  })

  test('is lost neither to its conversation nor to the ledger when the database is away at its end', async () => {
    const conversation = await newConversation()
    const { id: keyId, key } = await edge.newKey({ owner: 'local' })
    await edge.database.prepare('ALTER TABLE usage RENAME TO usage_away').run()
    const first = await edge.ask('/v1/responses', { body: asking(conversation), key })
    assert.equal(((await first.json()) as ApiResponse).status, 'completed', 'it is told all the same')
    await edge.database.prepare('ALTER TABLE usage_away RENAME TO usage').run()
    await json('/v1/responses', asking(conversation))
    const prompt = edge.runner.calls.at(-1)?.request.prompt
    assert.ok(prompt?.type === 'chat')
    assert.deepEqual(
      prompt.messages.map(({ content }) => content),
      ['Count', 'One two', 'Count'],
    )
    assert.equal((await texts(conversation)).length, 4)
    const rows = edge.database.prepare('SELECT completion_tokens AS tokens FROM usage WHERE key_id = ?').bind(keyId)
    await until(async () => (await rows.first<{ tokens: number }>())?.tokens === 2)
  })
})

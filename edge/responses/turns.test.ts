/** Responses in conversations: whoever hears of an answer's end finds it there, and so does the next question. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { Response as ApiResponse } from '#protocol/responses.ts'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'
import { hangsAfter, START, saysResumably } from '../testing/stub-runner.ts'

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

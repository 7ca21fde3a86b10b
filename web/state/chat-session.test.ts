/** A conversation whose answer ends in the middle of being read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConversationsApi } from '../transport/conversations.ts'
import { Http } from '../transport/http.ts'
import { ChatSession } from './chat-session.ts'

const QUESTION = { id: 'msg_q', role: 'user', status: 'completed', content: [{ text: 'Count' }] }
const ANSWER = { id: 'msg_a', role: 'assistant', status: 'incomplete', content: [{ text: 'Half' }] }
const EVENTS = [
  { type: 'response.created', response: { id: 'resp_1', status: 'in_progress', output: [] } },
  { type: 'response.output_text.delta', delta: 'Half' },
  {
    type: 'response.incomplete',
    response: { id: 'resp_1', status: 'cancelled', output: [{ id: 'msg_a', type: 'message' }] },
  },
]

/** A server whose answer ends right before the request that has this number, and the session that asks it. */
function conversation(endsBefore: number) {
  const asked: string[] = []
  const fetch = async (path: string) => {
    asked.push(path)
    const over = asked.length >= endsBefore
    if (path.includes('/v1/responses/')) {
      const sse = EVENTS.map((event, i) => `data: ${JSON.stringify({ ...event, sequence_number: i })}\n\n`)
      return new Response(sse.join(''), { headers: { 'content-type': 'text/event-stream' } })
    }
    if (path.includes('/items')) {
      return Response.json({ data: over ? [QUESTION, ANSWER] : [QUESTION], last_id: null, has_more: false })
    }
    return Response.json({ id: 'conv_1', created_at: 0, metadata: {}, ...(!over && { active_response_id: 'resp_1' }) })
  }
  const http = new Http({ fetch, renew: async () => false })
  const session = new ChatSession({
    http,
    conversations: new ConversationsApi(http),
    question: () => Promise.reject(new Error('nobody asks here')),
    onCreated() {},
    onActivity() {},
    onAnswer() {},
    onFailure: (error) => assert.fail(String(error)),
    nextFrame: (callback) => callback(),
  })
  return { session, asked }
}

for (let endsBefore = 1; endsBefore <= 5; endsBefore++) {
  test(`shows the answer once, stopped, if it ends before request ${endsBefore}`, async () => {
    const { session } = conversation(endsBefore)
    await session.load('conv_1')
    while (session.busy.value) await new Promise((resolve) => setImmediate(resolve))
    const shown = session.turns.value.map(({ text, status, itemId }) => [itemId.value, text.value, status.value])
    assert.deepEqual(shown, [
      ['msg_q', 'Count', 'completed'],
      ['msg_a', 'Half', 'incomplete'],
    ])
  })
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Candidate, inOrder, prefixKey } from './choose.ts'

const runner = (id: string, more: Partial<Candidate> = {}): Candidate => ({
  id,
  loaded: true,
  requests: 0,
  slots: 4,
  ...more,
})
const KEYS = Array.from({ length: 600 }, (_, i) => `conversation ${i}`)

describe('the runner that is asked', () => {
  test('is the same for the same beginning, and each has its share', () => {
    const runners = ['a', 'b', 'c'].map((id) => runner(id))
    const counts = new Map<string, number>()
    for (const key of KEYS) {
      const [first] = inOrder(runners, key)
      assert.equal(inOrder(runners.toReversed(), key)[0]?.id, first?.id)
      counts.set(first?.id ?? '', (counts.get(first?.id ?? '') ?? 0) + 1)
    }
    for (const count of counts.values()) assert.ok(count > 150 && count < 250, String(count))
  })

  test('stays the same when another one comes or goes, but for those that are its own', () => {
    const before = ['a', 'b', 'c'].map((id) => runner(id))
    const after = [...before, runner('d')]
    for (const key of KEYS) {
      const [now] = inOrder(after, key)
      if (now?.id !== 'd') assert.equal(now?.id, inOrder(before, key)[0]?.id)
    }
  })

  test('is another, the least busy one, when it has much more to do than the others', () => {
    const key = 'x'
    const favourite = inOrder([runner('a'), runner('b'), runner('c')], key)[0]?.id ?? ''
    const busy = (id: string) => runner(id, { requests: id === favourite ? 12 : 2 })
    const order = inOrder(['a', 'b', 'c'].map(busy), key).map(({ id }) => id)
    assert.notEqual(order[0], favourite)
    assert.equal(order.at(-1), favourite)
    const all = ['a', 'b', 'c'].map((id) => runner(id, { requests: id === favourite ? 41 : 40 }))
    assert.equal(inOrder(all, key)[0]?.id, favourite, 'when all are as busy, its prefix counts')
  })

  test('has the model loaded, if any has', () => {
    for (const key of KEYS.slice(0, 20)) {
      assert.equal(inOrder([runner('a', { loaded: false }), runner('b', { requests: 9 })], key)[0]?.id, 'b')
    }
  })
})

test('what begins a prompt is the tenant, the instructions and the first question', () => {
  const chat = (...contents: string[]) =>
    prefixKey('t', {
      type: 'chat',
      messages: contents.map((content, i) => ({
        role: i === 0 ? 'system' : i % 2 === 1 ? 'user' : 'assistant',
        content,
      })),
    })
  assert.equal(chat('Be brief.', 'Hello'), chat('Be brief.', 'Hello', 'Hi', 'And then?'))
  assert.notEqual(chat('Be brief.', 'Hello'), chat('Be brief.', 'Hallo'))
  assert.notEqual(chat('Be brief.', 'Hello'), prefixKey('u', { type: 'text', text: 'Be brief.\nHello' }))
})

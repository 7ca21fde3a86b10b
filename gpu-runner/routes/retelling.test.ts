import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GenerationEvent } from '#protocol/generation.ts'
import { Retelling } from './retelling.ts'

const START: GenerationEvent = { type: 'generation-start', model: 'm', fingerprint: 'f', promptTokens: 1 }
const delta = (text: string): GenerationEvent => ({ type: 'text-delta', text })
/** Events with the tokens that they come of; some tokens make none, some two. */
const ANSWER: [GenerationEvent[], number[]][] = [
  [[START], []],
  [[delta('a')], [1, 2]],
  [[], [3]],
  [[delta('b'), { type: 'tool-call-start', index: 0, name: 'f' }], [4]],
  [[{ type: 'tool-call-delta', index: 0, arguments: '{}' }], [5]],
]

function told(resume: { tokens: number[]; events: number } | undefined) {
  const retelling = new Retelling(resume)
  return ANSWER.flatMap(([events, ids]) => [...retelling.tell(events, ids)])
}

test('an answer that is not to be taken up again bears those that nobody could count', () => {
  const ids = told(undefined).map((event) => ('ids' in event ? event.ids : undefined))
  assert.deepEqual(ids, [undefined, [1, 2], [3, 4], [], undefined])
})

test('each token is borne once, by the first event that comes of it', () => {
  const ids = told({ tokens: [], events: 0 }).map((event) => ('ids' in event ? event.ids : undefined))
  assert.deepEqual(ids, [undefined, [1, 2], [3, 4], [], [5]])
})

test('taken up after any event, the rest is the same', () => {
  const [start, ...whole] = told({ tokens: [], events: 0 })
  for (let heard = 0; heard <= whole.length; heard++) {
    assert.deepEqual(told({ tokens: [], events: heard }), [start, ...whole.slice(heard)])
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import {
  PLACEHOLDERS,
  placeholder,
  type TranslateReply,
  type TranslateRequest,
  translateReplySchema,
  translateRequestSchema,
} from './translation.ts'

const takes = (request: unknown): boolean => v.is(translateRequestSchema, request)

test('what a runner is asked to translate is bounded', () => {
  const asked: TranslateRequest = v.parse(translateRequestSchema, { model: 'en-fr', texts: ['Open the file.'] })
  assert.deepEqual(asked, { model: 'en-fr', texts: ['Open the file.'], beam: 4, alternatives: 0 })
  assert.ok(takes({ ...asked, texts: Array(512).fill('a'.repeat(2000)), beam: 8, alternatives: 3 }))
  const wrong = [
    { texts: [] },
    { texts: [''] },
    { texts: Array(513).fill('a') },
    { texts: ['a'.repeat(2001)] },
    { texts: ['\ud800'] },
    { beam: 0 },
    { beam: 9 },
    { beam: 1.5 },
    { alternatives: 4 },
    { other: 1 },
  ]
  for (const change of wrong) assert.ok(!takes({ ...asked, ...change }), JSON.stringify(change).slice(0, 80))
})

test('a reply has as much for each text', () => {
  const reply: TranslateReply = { translations: [{ text: 'Ouvrez', alternatives: [], tokens: 2, read: 4 }] }
  assert.deepEqual(v.parse(translateReplySchema, reply), reply)
  assert.ok(!v.is(translateReplySchema, { translations: [{ text: 'Ouvrez' }] }))
})

test('there are 16 placeholders, each another text', () => {
  const all = Array.from({ length: PLACEHOLDERS }, (_, i) => placeholder(i))
  assert.deepEqual([all.length, all[0], all[15]], [16, '⟦0⟧', '⟦15⟧'])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chunksOf } from './chunks.ts'

const letters = (text: string) => text.length

test('pieces are whole sentences within the room, a longer one in parts', () => {
  assert.deepEqual(chunksOf(['aaa', 'bb', 'cccc'], 6, letters), ['aaa bb', 'cccc'])
  assert.deepEqual(chunksOf(['one two three four', 'x'], 10, letters), ['one two', 'three four', 'x'])
  assert.deepEqual(chunksOf([], 6, letters), [])
})

test('whatever the texts, each piece fits and no letter is lost', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '😀'), minLength: 1, maxLength: 30 })
  const sentence = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => words.join(' '))
  fc.assert(
    fc.property(fc.array(sentence), fc.integer({ min: 2, max: 40 }), (texts, room) => {
      const pieces = chunksOf(texts, room, letters)
      for (const piece of pieces) assert.ok(piece.length <= room, piece)
      const plain = (some: readonly string[]) => some.join('').replaceAll(' ', '')
      assert.equal(plain(pieces), plain(texts))
    }),
    { numRuns: 300, seed: 20_261_127 },
  )
})

test('no text is counted more than a few times, however long it is', () => {
  let counted = 0
  const counting = (text: string) => {
    counted += text.length
    return text.length / 4
  }
  const text = 'word '.repeat(200_000).trim()
  chunksOf([text], 400, counting)
  chunksOf(Array(4000).fill('A sentence of some words that are there.'), 400, counting)
  assert.ok(counted < 3 * (text.length + 4000 * 40), String(counted))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { learnPieces } from './bpe-training.ts'
import { END, plainText, translationPieces, translationTokenizer } from './translation-tokenizer.ts'

/** The example of Sennrich, Haddow and Birch (2016), but that a mark is before a word there is behind it. */
const WORDS = { low: 5, lower: 2, newest: 6, widest: 3 }
const texts = Object.entries(WORDS).flatMap(([word, count]) => Array<string>(count).fill(word))

test('the most frequent pair is merged first, again and again', () => {
  const pieces = learnPieces(texts, 100)
  const merged = pieces.filter((piece) => [...piece].length > 1)
  // es and est 9 times; of the pairs that are there 7 times, the first.
  assert.deepEqual(merged.slice(0, 2), ['es', 'est'])
  assert.deepEqual(merged.slice(2, 5), ['▁l', 'ow', '▁low'])
  assert.ok(merged.includes('▁newest') && merged.includes('▁widest') && merged.includes('▁lower'))
  assert.deepEqual(new Set(pieces).size, pieces.length)
  assert.deepEqual(learnPieces(texts, 100), pieces)
})

test('there are as many pieces as were asked for, characters first', () => {
  const pieces = learnPieces(texts, 13)
  assert.equal(pieces.length, 13)
  assert.deepEqual(pieces.slice(0, 2), ['e', 'w'])
  assert.deepEqual(pieces.slice(11), ['es', 'est'])
})

test('a piece is letters with their apostrophe, one digit, or signs', () => {
  const pieces = learnPieces(Array(9).fill("l'été 2024, l'hiver 2024 (a1b)"), 1000)
  assert.ok(pieces.includes("▁l'") && pieces.includes('été') && pieces.includes('▁('))
  for (const piece of pieces) assert.match(piece, /^▁?([\p{L}\p{M}]+['’]?|\p{N}|[^\p{L}\p{M}\p{N}]*)$/u)
})

const placeholders = ['⟦0⟧', '⟦1⟧']
const tokenizer = translationTokenizer(translationPieces([...texts, 'a newer, lower "low"'], 400, 2), placeholders)

test('what was encoded is decoded, whatever it is', () => {
  const hostile = [
    'the lowest',
    'Ça coûte 12,50 € – où ?',
    '漢字 😀👩‍🌾 שלום',
    '⟦0⟧',
    'a ⟦1⟧b⟦0⟧ c',
    '⟦2⟧ <0x41> </s> ▁',
    '',
  ]
  for (const text of hostile) {
    const tokens = tokenizer.encode(text)
    assert.equal(tokenizer.decode(tokens), plainText(text).replaceAll('▁', ' ').trim(), text)
    assert.ok(!tokens.includes(END))
    assert.ok(tokens.every((token) => token > 0 && token < tokenizer.size))
  }
})

test('a placeholder is one token, and known words few', () => {
  assert.deepEqual(
    tokenizer.encode('⟦1⟧ ⟦0⟧').filter((token) => token <= 2),
    [2, 1],
  )
  assert.deepEqual(tokenizer.encode('newest').length, 1)
  assert.equal(tokenizer.nameOf(tokenizer.encode('newest')[0] ?? 0), '▁newest')
})

test('spaces of any kind are one', () => {
  assert.deepEqual(tokenizer.encode('  low\u00a0\u202f\n lower '), tokenizer.encode('low lower'))
  assert.equal(plainText('e\u0301'), 'é')
})

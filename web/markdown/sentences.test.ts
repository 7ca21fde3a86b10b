import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SentenceReader, spoken } from './sentences.ts'

/** What is said of an answer that comes by `size` characters. */
function said(answer: string, size: number): string[] {
  const reader = new SentenceReader()
  const sentences: string[] = []
  for (let end = size; end < answer.length; end += size) sentences.push(...reader.next(answer.slice(0, end)))
  return [...sentences, ...reader.rest(answer)]
}

const ANSWER = 'Hello there. How are **you**?\n\n# Title\n- first\n- second\n\n```js\nlet secret = 1. \n```\nThe end'
const SENTENCES = ['Hello there.', 'How are you?', 'Title', 'first', 'second']

for (const size of [1, 2, 7, 1000]) {
  test(`each sentence is said once, however it comes: by ${size}`, () => {
    const sentences = said(ANSWER, size)
    assert.deepEqual(sentences.slice(0, SENTENCES.length), SENTENCES)
    assert.equal(sentences.at(-1), 'The end')
    assert.equal(sentences.length, SENTENCES.length + 2)
    assert.ok(!sentences.join(' ').includes('secret'), 'code is not read out')
  })
}

test('marks are not said', () => {
  assert.equal(spoken('## A [link](https://example.com) and `code`'), 'A link and code')
  assert.equal(spoken('| a | b |'), 'a , b')
  assert.equal(spoken('|---|---|'), '')
  assert.equal(spoken('2 * 3 = 6'), '2 * 3 = 6')
})

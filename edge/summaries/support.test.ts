import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sentencesOf } from './sentences.ts'
import { contentWords, Sources } from './support.ts'

const TEXT = 'The storm closed the harbour. It sank two boats in 1998. Lunch was late. Ann’s boat was saved.'
const sources = new Sources(sentencesOf(TEXT, 'en'))
const from = (text: string) => sources.of(text)?.map((sentence) => sentence.text)

test('a sentence comes from the fewest that have its content words, in any form of them', () => {
  assert.deepEqual(from('The harbour was closed by a storm.'), ['The storm closed the harbour.'])
  assert.deepEqual(from('A storm sank two boats.'), ['The storm closed the harbour.', 'It sank two boats in 1998.'])
  assert.deepEqual(from('Boats of Ann were saved.'), ['Ann’s boat was saved.'])
})

test('one word that the text has not, a number among them, and it is not supported', () => {
  for (const text of ['Aliens closed the harbour.', 'It sank two boats in 1999.', 'It was so.', '…']) {
    assert.equal(from(text), undefined, text)
  }
})

test('words are known by their beginnings, numbers as a whole', () => {
  assert.deepEqual([...contentWords('The harbours’ closing, of 12345678')], ['harbo', 'clos', '12345678'])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sentencesOf } from './sentences.ts'

const texts = (text: string, language = 'en') => sentencesOf(text, language).map((sentence) => sentence.text)

test('sentences end where they end', () => {
  assert.deepEqual(texts('One. Two! Is it three? Yes.'), ['One.', 'Two!', 'Is it three?', 'Yes.'])
  assert.deepEqual(texts('これは一つ。これは二つ。', 'ja'), ['これは一つ。', 'これは二つ。'])
  assert.deepEqual(texts(' \n\t '), [])
})

test('a wrapped line goes on, a paragraph and an item of a list do not', () => {
  assert.deepEqual(texts('A line that is\nwrapped once\r\nor twice. And more.\n\nA heading\n\nText'), [
    'A line that is wrapped once or twice.',
    'And more.',
    'A heading',
    'Text',
  ])
  assert.deepEqual(texts('Needs\n - bread\n - milk\n2) eggs'), ['Needs', '- bread', '- milk', '2) eggs'])
})

test('an abbreviation does not end a sentence', () => {
  assert.deepEqual(texts('Dr. Smith met J. R. Jones, e.g. On Monday. He left.'), [
    'Dr. Smith met J. R. Jones, e.g. On Monday.',
    'He left.',
  ])
  assert.deepEqual(texts('See Fig. 3 of the U.S. Report. It is old.'), ['See Fig. 3 of the U.S. Report.', 'It is old.'])
})

test('places are those of the text, in order, and nothing but white space is between', () => {
  const piece = fc.constantFrom(
    'Word',
    ' ',
    '. ',
    '\n',
    '\r\n',
    '\n\n',
    '- ',
    '😀',
    'Dr.',
    '! ',
    '\u00a0',
    'é',
    '1) ',
    '"',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('')
      let end = 0
      for (const sentence of sentencesOf(text, 'en')) {
        assert.ok(sentence.start >= end && sentence.end > sentence.start)
        assert.match(text.slice(end, sentence.start), /^\s*$/)
        assert.equal(text.slice(sentence.start, sentence.end).replace(/\s+/g, ' '), sentence.text)
        end = sentence.end
      }
      assert.match(text.slice(end), /^\s*$/)
    }),
    { numRuns: 500, seed: 20_261_127 },
  )
})

test('a language that is none is refused', () => assert.throws(() => sentencesOf('A.', 'x-'), RangeError))

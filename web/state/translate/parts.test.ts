import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pairsOf, partsOf } from './parts.ts'

const whole = (text: string) =>
  partsOf(text)
    .map((part) => part.before + part.text + part.after)
    .join('')

describe('parts of a text', () => {
  const line = `${'A word and another. '.repeat(20)}\n`
  test('end at line ends, and are the text together', () => {
    const text = `\n  ${line}${line}short\n\n\nlast`
    assert.equal(whole(text), text)
    assert.deepEqual(
      partsOf(text).map(({ text }) => text.length),
      [399, 399, 'short\n\n\nlast'.length],
    )
  })

  test('what is typed at the end changes the last alone', () => {
    const before = partsOf(line.repeat(5))
    const after = partsOf(`${line.repeat(5)}More`)
    assert.deepEqual(after.slice(0, before.length), before)
    assert.equal(after.at(-1)?.text, 'More')
  })

  test('a long line is cut between sentences', () => {
    const text = 'A word and another. '.repeat(500)
    assert.equal(whole(text), text)
    const lengths = partsOf(text).map(({ text }) => text.length)
    assert.ok(lengths.length >= 5 && lengths.every((length) => length <= 2000), lengths.join())
  })

  test('nothing, and nothing but white space', () => {
    assert.deepEqual(partsOf(''), [])
    assert.equal(whole(' \n '), ' \n ')
    assert.ok(partsOf(' \n ').every(({ text }) => text === ''))
  })
})

describe('pairs of sentences', () => {
  const languages = { source: 'en', target: 'fr' }
  const pairs = (source: string, translation: string) =>
    pairsOf(source, translation, languages).map(({ source, translation }) => [source, translation])

  test('sentence by sentence, line by line', () => {
    assert.deepEqual(pairs('One. Two.\n\nThree.', 'Un. Deux.\n\nTrois.'), [
      ['One.', 'Un.'],
      ['Two.', 'Deux.'],
      ['', ''],
      ['Three.', 'Trois.'],
    ])
  })

  test('a line as a whole where the sentences do not match', () => {
    assert.deepEqual(pairs('One. Two.\nThree.', 'Un et deux.\nTrois.'), [
      ['One. Two.', 'Un et deux.'],
      ['Three.', 'Trois.'],
    ])
  })

  test('together they are the translation', () => {
    const translation = 'Un.  Deux.\n\n Trois.\n'
    const joined = pairsOf('One. Two.\n\n Three.\n', translation, languages)
      .map((pair) => pair.before + pair.translation + pair.after)
      .join('')
    assert.equal(joined, translation)
  })
})

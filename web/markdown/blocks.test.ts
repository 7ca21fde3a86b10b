import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Block, BlockCache } from './blocks.ts'

const PIECES = [
  'Some words. ',
  'a',
  '\n',
  '\n\n',
  '# Title\n',
  '- item\n',
  '1. one\n',
  '2. two\n',
  '  ',
  '```ts\n',
  '```\n',
  'const a = 1\n',
  '**bold',
  '**',
  '| a | b |\n',
  '|---|---|\n',
  '> quote\n',
  '[link](https://example.com)',
  '[link',
  '<b>',
  '---\n',
]

const whole = (text: string) => new BlockCache().finish(text)
const source = (blocks: readonly Block[]) => blocks.map(({ raw }) => raw).join('')
const visible = (blocks: readonly Block[]) => blocks.map((block) => (block.kind === 'code' ? block.code : block.html))

describe('an answer that grows', () => {
  test('ends as if it had come at once', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }), (pieces) => {
        const cache = new BlockCache()
        for (const [i] of pieces.entries()) cache.update(pieces.slice(0, i + 1).join(''))
        const text = pieces.join('')
        assert.deepEqual(cache.update(text), new BlockCache().update(text))
        assert.deepEqual(cache.finish(text), whole(text))
      }),
      { numRuns: 300, seed: 1 },
    )
  })

  test('shows all of its text all of the time', () => {
    const words = 'one two three\n\n- four\n- five\n\n```\nsix\n```\n\nseven **eight** nine'
    const cache = new BlockCache()
    for (let end = 1; end <= words.length; end++) {
      const shown = visible(cache.update(words.slice(0, end))).join(' ')
      for (const word of words.slice(0, end).match(/[a-z]+(?=\W)/g) ?? []) assert.ok(shown.includes(word), word)
    }
  })

  test('keeps a closed block the same object', () => {
    const cache = new BlockCache()
    const [first] = cache.update('One.\n\nTwo.\n\nThree')
    const later = cache.update('One.\n\nTwo.\n\nThree and more.\n\nFour')
    assert.equal(later[0], first)
    assert.equal(cache.finish('One.\n\nTwo.\n\nThree and more.\n\nFour')[0], first)
  })

  test('closes what is not closed yet, for the eye', () => {
    assert.deepEqual(visible(new BlockCache().update('a **bo')), ['<p>a <strong>bo</strong></p>\n'])
    const [code] = new BlockCache().update('```py\nprint(')
    assert.deepEqual(code, { kind: 'code', raw: '```py\nprint(', language: 'py', code: 'print(' })
  })

  test('goes on with a list whose items stand apart', () => {
    const cache = new BlockCache()
    const text = '1. one\n\n2. two\n\n3. three'
    for (let end = 1; end <= text.length; end++) cache.update(text.slice(0, end))
    const blocks = cache.update(text)
    assert.equal(blocks.length, 1)
    assert.equal(source(blocks), text)
  })

  test('starts anew when its text is another', () => {
    const cache = new BlockCache()
    cache.update('One.\n\nTwo.')
    assert.deepEqual(visible(cache.update('Other')), ['<p>Other</p>\n'])
  })

  test('uses a link that is defined at its end', () => {
    const blocks = whole('See [this].\n\n[this]: https://example.com/')
    assert.match(visible(blocks).join(''), /href="https:\/\/example\.com\/"/)
  })
})

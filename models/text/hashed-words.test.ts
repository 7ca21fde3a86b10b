import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fnv1a, hashedWords } from './hashed-words.ts'

const SIZE = 256
const cosine = (a: string, b: string) => {
  const [x, y] = [hashedWords(a, SIZE), hashedWords(b, SIZE)]
  return x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0)
}

describe('words as a vector', () => {
  test('are hashed as FNV-1a has it', () => {
    // From the authors' test suite (http://www.isthe.com/chongo/tech/comp/fnv/).
    assert.equal(fnv1a(''), 0x811c9dc5)
    assert.equal(fnv1a('a'), 0xe40c292c)
    assert.equal(fnv1a('foobar'), 0xbf9cf968)
  })

  test('have length 1, whatever their order and letters', () => {
    assert.ok(Math.abs(cosine('red heart', 'Heart, RED!') - 1) < 1e-6)
    assert.ok(Math.abs(Math.hypot(...hashedWords('a red heart', SIZE)) - 1) < 1e-6)
    assert.deepEqual([...hashedWords(' … ', 8)], [0, 0, 0, 0, 0, 0, 0, 0])
  })

  test('are near what shares words, and what shares pieces of words', () => {
    assert.ok(cosine('red heart', 'blue heart') > 0.3)
    assert.ok(cosine('smiling', 'smile') > cosine('smiling', 'carrot') + 0.05)
    assert.ok(Math.abs(cosine('red heart', 'tennis ball')) < 0.2)
  })
})

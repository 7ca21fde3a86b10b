import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bpe } from './bpe.ts'
import { BYTE_CHARACTERS } from './byte-level.ts'

const MERGES = ['a b', 'b a', 'a a', 'ab ab', 'aa b', 'b c', 'aab c', 'c c', 'cc cc', 'ba ba', 'abab a']
const TOKENS = [...new Set([...BYTE_CHARACTERS, ...MERGES.map((merge) => merge.replace(' ', ''))])]

function encode(piece: string, ignoreMerges = false): string[] {
  const out: number[] = []
  new Bpe({ tokens: TOKENS, merges: MERGES, ignoreMerges }).encode(piece, out)
  return out.map((id) => TOKENS[id] as string)
}

/** As the paper has it: look through all pairs, merge the best, begin again. */
function byDefinition(piece: string): string[] {
  let parts = [...piece]
  for (;;) {
    const ranks = parts.slice(1).map((right, i) => MERGES.indexOf(`${parts[i]} ${right}`))
    const known = ranks.filter((rank) => rank >= 0)
    if (known.length === 0) return parts
    const at = ranks.indexOf(Math.min(...known))
    parts = [...parts.slice(0, at), `${parts[at]}${parts[at + 1]}`, ...parts.slice(at + 2)]
  }
}

test('merges as the definition does', () => {
  const pieces = fc
    .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 60 })
    .map((letters) => letters.join(''))
  fc.assert(
    fc.property(pieces, (piece) => assert.deepEqual(encode(piece), byDefinition(piece))),
    { numRuns: 1000, seed: 1 },
  )
})

test('a piece that is a token is taken whole where merges are ignored', () => {
  assert.deepEqual(encode('ababa'), byDefinition('ababa'))
  assert.deepEqual(encode('aabc', true), ['aabc'])
})

test('characters beyond ASCII are their UTF-8 bytes', () => {
  assert.deepEqual(encode('é'), ['Ã', '©'])
  assert.deepEqual(encode('\ud800'), ['ï', '¿', '½'])
})

test('a merge of unknown tokens is refused', () => {
  for (const merges of [['a zz'], ['q r'], ['ab'], ['']]) {
    const make = () => new Bpe({ tokens: TOKENS, merges, ignoreMerges: false })
    assert.throws(make, { name: 'TokenizerError', code: 'invalid_vocabulary' })
  }
})

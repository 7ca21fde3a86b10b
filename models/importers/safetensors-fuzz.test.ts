/** Damaged files either parse or are refused by a SafetensorsError; what parses covers the file, each byte once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesReader } from './range-reader.ts'
import { parseSafetensors, readFloats } from './safetensors.ts'
import { SafetensorsError } from './safetensors-error.ts'
import { bytesOf } from './testdata/gguf-writer.ts'
import { entry, writeSafetensors } from './testdata/safetensors-writer.ts'

const RUNS = 4000
const SEED = 20_261_127
const TEXTS = [
  '0',
  '7',
  '9007199254740993',
  '1e999',
  '-1',
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  'null',
  ' ',
  'F16',
  '\u0000',
  'é',
]

const header = {
  __metadata__: { format: 'pt' },
  matrix: entry('F32', [2, 3], 0, 24),
  vector: entry('F16', [4], 24, 32),
  flags: entry('BOOL', [4], 32, 36),
}
const original = writeSafetensors({ header, data: Uint8Array.from({ length: 36 }, (_, i) => (i * 37) & 255) })

const place = fc.nat({ max: original.length - 1 })
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 4 }),
  fc.constantFrom(...TEXTS.map((text) => new TextEncoder().encode(text))),
)
const mutation = fc.record({ at: place, remove: fc.nat({ max: 4 }), insert: piece, mend: fc.boolean() })
type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never

/** @param mend says the length that the header has after a change within it */
function mutate(bytes: Uint8Array, { at, remove, insert, mend }: Mutation): Uint8Array {
  const changed = bytesOf(bytes.subarray(0, at), insert, bytes.subarray(at + remove))
  if (!mend || at < 8 || changed.length < 8) return changed
  const view = new DataView(changed.buffer)
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
  const grown = length + BigInt(insert.length - Math.min(remove, bytes.length - at))
  if (at < 8 + Number(length) && grown >= 0n) view.setBigUint64(0, grown, true)
  return changed
}

test('a damaged file parses or is refused', () => {
  const outcomes = { parsed: 0, refused: 0 }
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
      const bytes = mutations.reduce(mutate, original)
      const reader = bytesReader(bytes)
      try {
        const { tensors } = parseSafetensors(reader)
        const covered = new Uint8Array(bytes.length)
        for (const tensor of tensors.values()) {
          for (let i = 0; i < tensor.byteLength; i++) covered[tensor.offset + i] = (covered[tensor.offset + i] ?? 0) + 1
          if (tensor.type === 'F32' || tensor.type === 'F16') readFloats(reader, tensor)
        }
        const dataStart = 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
        assert.ok(covered.every((count, i) => count === (i < dataStart ? 0 : 1)))
        outcomes.parsed++
      } catch (error) {
        if (!(error instanceof SafetensorsError)) throw error
        outcomes.refused++
      }
    }),
    { numRuns: RUNS, seed: SEED },
  )
  // Neither side may be empty, or the mutations are too mild or too wild to say anything.
  assert.ok(outcomes.parsed > RUNS / 50 && outcomes.refused > RUNS / 2, JSON.stringify(outcomes))
})

/** Damaged files either parse or are refused by a GgufError; nothing else is thrown and nothing large is read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseGguf, readTensor } from './gguf.ts'
import { GgufError } from './gguf-error.ts'
import { dequantize } from './gguf-quant.ts'
import { bytesReader, type RangeReader } from './range-reader.ts'
import { array, bytesOf, f32, text, u32, u64, writeGguf } from './testdata/gguf-writer.ts'

const RUNS = 4000
const SEED = 20_261_123

const original = writeGguf({
  metadata: [
    ['general.architecture', { type: 8, string: 'llama' }],
    ['general.alignment', { type: 4, u32: 32 }],
    ['tokens', array(8, 3, text('a'), text('Ġb'), text(''))],
    ['scores', array(6, 3, f32(1), f32(2), f32(3))],
    ['flag', { type: 7, raw: Uint8Array.of(1) }],
    ['wide', { type: 10, raw: u64(1 << 20) }],
  ],
  tensors: [
    { name: 'vector', dims: [8], type: 0, offset: 0 },
    { name: 'matrix', dims: [32, 2], type: 3, offset: 32 },
    { name: 'codes', dims: [256], type: 14, offset: 96 },
  ],
  data: Uint8Array.from({ length: 96 + 210 }, (_, i) => (i * 37) & 255),
})

const place = fc.nat({ max: original.length - 1 })
const interesting = fc.constantFrom(
  0n,
  1n,
  0x7fn,
  0xffffn,
  1n << 31n,
  (1n << 32n) - 1n,
  1n << 53n,
  1n << 63n,
  (1n << 64n) - 1n,
)
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: place }),
  fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant('length' as const), at: place, value: interesting }),
  fc.record({ kind: fc.constant('type' as const), at: place, value: fc.nat({ max: 40 }) }),
  fc.record({ kind: fc.constant('insert' as const), at: place, bytes: fc.uint8Array({ maxLength: 40 }) }),
  fc.record({ kind: fc.constant('remove' as const), at: place, length: fc.integer({ min: 1, max: 40 }) }),
)
type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never

function mutate(bytes: Uint8Array, change: Mutation): Uint8Array {
  const at = Math.min(change.at, bytes.length)
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (change.kind) {
    case 'cut':
      return before
    case 'flip':
      return bytes.map((byte, i) => (i === at ? byte ^ (1 << change.bit) : byte))
    case 'length':
      return bytesOf(before, u64(change.value), after.subarray(8))
    case 'type':
      return bytesOf(before, u32(change.value), after.subarray(4))
    case 'insert':
      return bytesOf(before, change.bytes, after)
    case 'remove':
      return bytesOf(before, after.subarray(change.length))
  }
}

/** Reads that are larger than the file would be allocations that it does not justify. */
function watched(bytes: Uint8Array): RangeReader {
  const reader = bytesReader(bytes)
  return {
    byteLength: reader.byteLength,
    read(offset, length) {
      assert.ok(offset >= 0 && length >= 0 && offset + length <= bytes.length, `reads ${length} bytes at ${offset}`)
      return reader.read(offset, length)
    },
  }
}

test('a damaged file parses or is refused', () => {
  const outcomes = { parsed: 0, refused: 0 }
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      const reader = watched(mutations.reduce(mutate, original))
      try {
        const { tensors } = parseGguf(reader)
        for (const tensor of tensors.values()) dequantize(tensor.type, readTensor(reader, tensor))
        outcomes.parsed++
      } catch (error) {
        if (!(error instanceof GgufError)) throw error
        outcomes.refused++
      }
    }),
    { numRuns: RUNS, seed: SEED },
  )
  // Neither side may be empty, or the mutations are too mild or too wild to say anything.
  assert.ok(outcomes.parsed > RUNS / 50 && outcomes.refused > RUNS / 2, JSON.stringify(outcomes))
})

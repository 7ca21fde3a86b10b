import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { inflatedLength } from './inflated-length.ts'

const ENDLESS = 1 << 30
const data = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc
    .array(fc.constantFrom('the ', 'file ', 'is', '.', 'a'.repeat(300)), { maxLength: 400 })
    .map((words) => Buffer.from(words.join(''))),
)

test('is as long as what zlib packed, whatever comes after it', () => {
  const strategies = [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE]
  fc.assert(
    fc.property(data, fc.integer({ min: 0, max: 9 }), fc.constantFrom(...strategies), (bytes, level, strategy) => {
      const packed = deflateRawSync(bytes, { level, strategy })
      assert.equal(inflatedLength(packed, ENDLESS), bytes.length)
      assert.equal(inflatedLength(Buffer.concat([packed, Buffer.from('\nendstream')]), ENDLESS), bytes.length)
      const cut = inflatedLength(packed.subarray(0, packed.length >> 1), ENDLESS)
      assert.ok(cut <= bytes.length)
    }),
    { numRuns: 300 },
  )
})

test('stops where it is too much, and at what is no such stream', () => {
  const bomb = deflateRawSync(Buffer.alloc(64 << 20))
  const length = inflatedLength(bomb, 1000)
  assert.ok(length > 1000 && length < 2000)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => void inflatedLength(bytes, ENDLESS)))
})

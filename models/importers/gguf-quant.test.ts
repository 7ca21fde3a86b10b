import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dequantize, type GgmlType, unpackQ4_0, unpackQ4_1, unpackQ4_K, unpackQ8_0 } from './gguf-quant.ts'
import vectors from './testdata/quantised.json' with { type: 'json' }

const decode = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64'))
const floats = (base64: string) => new Float32Array(decode(base64).buffer)
function vector(type: GgmlType): { stored: Uint8Array; values: Float32Array } {
  const found = vectors.find((candidate) => candidate.type === type)
  assert.ok(found, type)
  return { stored: decode(found.bytes), values: floats(found.values) }
}
/** Bit for bit; 0 and −0 are one value, which formulas may reach by different ways. */
function same(actual: Float32Array, expected: Float32Array): void {
  assert.deepEqual(
    actual.map((x) => x + 0),
    expected.map((x) => x + 0),
  )
}

const TYPES = [
  'F32',
  'F16',
  'BF16',
  'Q4_0',
  'Q4_1',
  'Q5_0',
  'Q5_1',
  'Q8_0',
  'Q2_K',
  'Q3_K',
  'Q4_K',
  'Q5_K',
  'Q6_K',
  'IQ4_NL',
  'IQ4_XS',
] as const
for (const type of TYPES) {
  test(`${type} equals the gguf package's values`, () => {
    const { stored, values } = vector(type)
    assert.ok(values.length >= 64)
    same(dequantize(type, stored), values)
  })
  test(`${type} may lie anywhere in a buffer`, () => {
    const { stored, values } = vector(type)
    const shifted = new Uint8Array(stored.length + 3)
    shifted.set(stored, 3)
    const out = new Float32Array(values.length)
    assert.equal(dequantize(type, shifted.subarray(3), out), out)
    same(out, values)
  })
}

test('codes, scales and minima of Q4_0, Q4_1, Q4_K and Q8_0 give the same values', () => {
  const q4 = unpackQ4_0(vector('Q4_0').stored)
  same(
    Float32Array.from(q4.codes, (code, i) => (q4.scale[i >> 5] as number) * (code - 8)),
    vector('Q4_0').values,
  )
  for (const [type, unpack] of [
    ['Q4_1', unpackQ4_1],
    ['Q4_K', unpackQ4_K],
  ] as const) {
    const { codes, scale, min } = unpack(vector(type).stored)
    const affine = Float32Array.from(codes, (code, i) => (scale[i >> 5] as number) * code + (min[i >> 5] as number))
    same(affine, vector(type).values)
  }
  const q8 = unpackQ8_0(vector('Q8_0').stored)
  same(
    Float32Array.from(q8.codes, (code, i) => (q8.scale[i >> 5] as number) * code),
    vector('Q8_0').values,
  )
})

test('float16 has its extremes', () => {
  const bits = Uint16Array.of(0x0001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x8000, 0x3555)
  const expected = [
    2 ** -24,
    1023 * 2 ** -24,
    2 ** -14,
    65_504,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -0,
    0.333251953125,
  ]
  assert.deepEqual([...dequantize('F16', new Uint8Array(bits.buffer))], expected)
  assert.ok(Number.isNaN(dequantize('F16', Uint8Array.of(0x01, 0x7c))[0]))
})

test('bytes that end inside a block are refused', () => {
  for (const type of TYPES) {
    assert.throws(() => dequantize(type, vector(type).stored.subarray(1)), { name: 'GgufError', code: 'partial_block' })
  }
  assert.throws(() => unpackQ8_0(new Uint8Array(33)), { code: 'partial_block' })
  assert.throws(() => unpackQ4_K(new Uint8Array(143)), { code: 'partial_block' })
})

test('an array of another length is refused', () => {
  assert.throws(() => dequantize('F32', new Uint8Array(8), new Float32Array(3)), RangeError)
})

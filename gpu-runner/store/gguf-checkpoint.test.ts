/** What a checkpoint's matrices become, from blocks that another implementation has read (`models/importers/testdata`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GgufTensor } from '#models/importers/gguf.ts'
import { dequantize, type GgmlType } from '#models/importers/gguf-quant.ts'
import { bytesReader } from '#models/importers/range-reader.ts'
import vectors from '#models/importers/testdata/quantised.json' with { type: 'json' }
import { BLOCK_SIZE, type Matrix, type Parameters } from '#models/nn/parameters.ts'
import { ggufParameters } from './gguf-checkpoint.ts'

const COLUMNS = 256
/** Of 8-bit codes, with what float32 adds. */
const HALF_A_STEP = 0.50001 / 127

/** Tensors by their names, some rows of COLUMNS elements each; and what is in them. */
function checkpoint(types: Readonly<Record<string, GgmlType>>) {
  const tensors = new Map<string, GgufTensor>()
  const elements = new Map<string, Float32Array>()
  const parts: Uint8Array[] = []
  let offset = 0
  for (const [name, type] of Object.entries(types)) {
    const once = Buffer.from(vectors.find((vector) => vector.type === type)?.bytes ?? '', 'base64')
    // There are 64 elements of some.
    const bytes = Buffer.concat([once, once, once, once])
    const values = dequantize(type, bytes)
    tensors.set(name, { name, type, dims: [COLUMNS, values.length / COLUMNS], offset, byteLength: bytes.length })
    elements.set(name, values)
    parts.push(bytes)
    offset += bytes.length
  }
  const file = { version: 3, alignment: 32, metadata: new Map(), tensors }
  const rows = Object.fromEntries([...elements].map(([name, values]) => [name, values.length / COLUMNS]))
  return { parameters: ggufParameters(file, bytesReader(Buffer.concat(parts))), rows, elements }
}

/** A matrix's elements by the formulas in `parameters.ts`. */
function elementsOf({ rows, columns, bits, load }: Matrix): Float32Array {
  const { codes, scales, offsets } = load()
  const blocks = columns / BLOCK_SIZE
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, block] = [Math.floor(i / columns), Math.floor((i % columns) / BLOCK_SIZE)]
    const scale = scales[row * blocks + block] as number
    if (bits === 8) return scale * ((codes[i] as number) - 128)
    const code = ((codes[i >> 1] as number) >> (i % 2 ? 4 : 0)) & 15
    return scale * (code - 8) + (offsets[block * rows + row] as number)
  })
}

/** The greatest difference, in parts of the greatest element. */
function difference(actual: Float32Array, expected: Float32Array): number {
  assert.equal(actual.length, expected.length)
  const greatest = (values: Float32Array) => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  return greatest(actual.map((x, i) => x - (expected[i] as number))) / greatest(expected)
}

const all = (elements: ReadonlyMap<string, Float32Array>) =>
  Float32Array.from([...elements.values()].flatMap((values) => [...values]))
const joined = (matrices: ReturnType<Parameters['stack']>) =>
  Float32Array.from(matrices.flatMap((matrix) => [...elementsOf(matrix)]))

for (const type of ['Q4_0', 'Q4_1', 'Q4_K'] as const) {
  test(`${type} stays what it is`, () => {
    const { parameters, rows, elements } = checkpoint({ w: type })
    const matrix = parameters.matrix(COLUMNS, 'w', rows.w ?? 0)
    assert.equal(matrix.bits, 4)
    // One rounding of float32 where the offset takes in the 8.
    assert.ok(difference(elementsOf(matrix), all(elements)) < 2 ** -22)
  })
}

for (const type of [
  'F32',
  'F16',
  'BF16',
  'Q2_K',
  'Q3_K',
  'Q5_0',
  'Q5_1',
  'Q5_K',
  'Q6_K',
  'Q8_0',
  'IQ4_NL',
  'IQ4_XS',
] as const) {
  test(`${type} becomes 8 bits`, () => {
    const { parameters, rows, elements } = checkpoint({ w: type })
    const matrix = parameters.matrix(COLUMNS, 'w', rows.w ?? 0)
    assert.equal(matrix.bits, 8)
    assert.ok(difference(elementsOf(matrix), all(elements)) <= (type === 'Q8_0' ? 0 : HALF_A_STEP))
  })
}

test('types of 4 bits are stacked into one matrix', () => {
  const { parameters, rows, elements } = checkpoint({ q: 'Q4_K', k: 'Q4_0', v: 'Q4_1' })
  const matrices = parameters.stack(COLUMNS, rows)
  assert.deepEqual(
    matrices.map(({ name, bits }) => [name, bits]),
    [['q+k+v', 4]],
  )
  assert.ok(difference(joined(matrices), all(elements)) < 2 ** -22)
})

test('a part that needs 8 bits leaves the others theirs', () => {
  const { parameters, rows, elements } = checkpoint({ q: 'Q4_K', k: 'Q4_K', v: 'Q6_K' })
  const matrices = parameters.stack(COLUMNS, rows)
  assert.deepEqual(
    matrices.map(({ name, bits }) => [name, bits]),
    [
      ['q+k', 4],
      ['v', 8],
    ],
  )
  assert.ok(difference(joined(matrices), all(elements)) <= HALF_A_STEP)
})

test('a table is of 8 bits, whatever it was', () => {
  for (const { type } of vectors as readonly { type: GgmlType }[]) {
    const { parameters, rows, elements } = checkpoint({ table: type })
    const table = parameters.table(COLUMNS, 'table', rows.table ?? 0)
    assert.equal(table.bits, 8)
    assert.ok(difference(elementsOf(table), all(elements)) <= HALF_A_STEP, type)
  }
})

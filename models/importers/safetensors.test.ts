import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bytesReader } from './range-reader.ts'
import { parseSafetensors, readFloats } from './safetensors.ts'
import { SafetensorsError, type SafetensorsErrorCode } from './safetensors-error.ts'
import { bytesOf } from './testdata/gguf-writer.ts'
import { entry, type WrittenSafetensors, writeSafetensors } from './testdata/safetensors-writer.ts'

const floats = Float32Array.of(1.5, -2, 0.25, 1e-3, 3, 4)
/** 1, −2 in each of the two 16-bit formats. */
const halves = Uint16Array.of(0x3c00, 0xc000)
const brains = Uint16Array.of(0x3f80, 0xc000)
const data = bytesOf(...[floats, halves, brains].map(({ buffer }) => new Uint8Array(buffer)))
const header = {
  __metadata__: { format: 'pt' },
  matrix: entry('F32', [2, 3], 0, 24),
  brains: entry('BF16', [2], 28, 32),
  halves: entry('F16', [1, 2], 24, 28),
}
const parse = (file: WrittenSafetensors) => parseSafetensors(bytesReader(writeSafetensors(file)))

test('reads metadata and tensors', () => {
  const reader = bytesReader(writeSafetensors({ header, data }))
  const { metadata, tensors } = parseSafetensors(reader)
  assert.deepEqual([...metadata], [['format', 'pt']])
  assert.deepEqual([...tensors.keys()].sort(), ['brains', 'halves', 'matrix'])
  const elements = (name: string) => {
    const tensor = tensors.get(name)
    assert.ok(tensor)
    return [...readFloats(reader, tensor)]
  }
  assert.deepEqual(tensors.get('matrix')?.shape, [2, 3])
  assert.deepEqual(elements('matrix'), [...floats])
  assert.deepEqual(
    [elements('halves'), elements('brains')],
    [
      [1, -2],
      [1, -2],
    ],
  )
})

test('reads a header that is padded, tensors without elements, scalars, and names of JavaScript’s', () => {
  const padded = `${JSON.stringify({ a: entry('I64', [], 0, 8), b: entry('U8', [0, 4], 8, 8) })}   `
  const { tensors } = parse({ header: padded, data: new Uint8Array(8) })
  assert.deepEqual([...tensors.keys()], ['a', 'b'])
  const own = parse({ header: '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', data: Uint8Array.of(7) })
  assert.deepEqual([...own.tensors.keys()], ['__proto__'])
  assert.equal(parse({ header: {} }).tensors.size, 0)
})

test('a type without floating-point numbers is not read as such', () => {
  const reader = bytesReader(writeSafetensors({ header: { a: entry('I32', [2], 0, 8) }, data: new Uint8Array(8) }))
  const [tensor] = parseSafetensors(reader).tensors.values()
  assert.ok(tensor)
  assert.throws(() => readFloats(reader, tensor), { code: 'unsupported_type', message: /a is of the type I32/ })
})

describe('refuses', () => {
  const one = (change: object, bytes = 8): WrittenSafetensors => ({
    header: { a: { ...entry('F32', [2], 0, 8), ...change } },
    data: new Uint8Array(bytes),
  })
  const text = (json: string): WrittenSafetensors => ({ header: json })
  const two = (first: object, second: object, bytes: number): WrittenSafetensors => ({
    header: { a: first, b: second },
    data: new Uint8Array(bytes),
  })
  const cases: readonly [what: string, code: SafetensorsErrorCode, file: WrittenSafetensors][] = [
    ['a header over 100 MB', 'header_too_large', { header, headerLength: 100_000_001 }],
    ['a header of 2^64 − 1 bytes', 'header_too_large', { header, headerLength: (1n << 64n) - 1n }],
    ['a header longer than the file', 'truncated', { header: {}, headerLength: 3 }],
    ['a header that is not UTF-8', 'invalid_header', { header: '{"é":1}', headerLength: 3 }],
    ['a header that is cut', 'invalid_header', { header: '{"a":{}}', headerLength: 7 }],
    ['white space before the header', 'invalid_header', text(' {}')],
    ['a byte-order mark', 'invalid_header', text('\ufeff{}')],
    ['something after the header', 'invalid_header', text('{}{}')],
    ['a list', 'invalid_header', text('[]')],
    [
      'a tensor twice',
      'duplicate_key',
      {
        header:
          '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a" :{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        data: new Uint8Array(1),
      },
    ],
    [
      'a tensor twice, written differently',
      'duplicate_key',
      {
        header:
          '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      },
    ],
    [
      'a shape twice',
      'duplicate_key',
      {
        header: '{"a":{"dtype":"U8","shape":[9],"shape":[1],"data_offsets":[0,1]}}',
        data: new Uint8Array(1),
      },
    ],
    ['metadata that is no text', 'invalid_header', text('{"__metadata__":{"a":1}}')],
    ['metadata that is a list', 'invalid_header', text('{"__metadata__":[]}')],
    ['a tensor that is a number', 'invalid_tensor', text('{"a":1}')],
    ['a tensor that is null', 'invalid_tensor', text('{"a":null}')],
    ['a tensor with more to it', 'invalid_tensor', one({ url: 'x' })],
    ['a tensor within a tensor', 'duplicate_key', one({ b: entry('F32', [2], 0, 8) })],
    ['an unknown type', 'unknown_type', one({ dtype: 'F128' })],
    ['a type of JavaScript’s', 'unknown_type', one({ dtype: 'constructor' })],
    ['no type', 'unknown_type', one({ dtype: undefined })],
    ['no shape', 'invalid_shape', one({ shape: undefined })],
    ['a shape below 0', 'invalid_shape', one({ shape: [-2] })],
    ['half an element', 'invalid_shape', one({ shape: [1.5] })],
    ['a length over 2^53', 'invalid_shape', one({ shape: [2 ** 53] })],
    ['nine dimensions', 'invalid_shape', one({ shape: [2, 1, 1, 1, 1, 1, 1, 1, 1] })],
    ['elements over 2^53', 'shape_mismatch', one({ shape: [2 ** 30, 2 ** 30] })],
    ['elements that wrap 64 bits to few', 'shape_mismatch', one({ shape: [2 ** 32, 2 ** 32, 2] })],
    ['a shape that is not as long as the range', 'shape_mismatch', one({ shape: [3] })],
    ['a range that ends before it begins', 'shape_mismatch', one({ data_offsets: [8, 0] })],
    ['a range of one number', 'invalid_range', one({ data_offsets: [8] })],
    ['a range that begins below 0', 'invalid_range', one({ data_offsets: [-8, 0] })],
    ['a range of texts', 'invalid_range', one({ data_offsets: ['0', '8'] })],
    ['a tensor past the end', 'truncated', one({}, 7)],
    ['bytes after the last tensor', 'hole', one({}, 9)],
    ['bytes before the first tensor', 'hole', one({ data_offsets: [1, 9] }, 9)],
    ['bytes and no tensors', 'hole', { header: {}, data: new Uint8Array(1) }],
    ['bytes between two tensors', 'hole', two(entry('U8', [2], 0, 2), entry('U8', [2], 3, 5), 5)],
    ['overlapping tensors', 'overlapping_tensors', two(entry('U8', [4], 0, 4), entry('U8', [4], 2, 6), 6)],
    ['two tensors at one place', 'overlapping_tensors', two(entry('U8', [4], 0, 4), entry('F32', [1], 0, 4), 4)],
  ]
  for (const [what, code, file] of cases) {
    test(what, () => assert.throws(() => parse(file), { name: 'SafetensorsError', code }))
  }
  test('a file that is cut anywhere, or has a byte more', () => {
    const bytes = writeSafetensors({ header, data })
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(
        () => parseSafetensors(bytesReader(bytes.subarray(0, length))),
        SafetensorsError,
        `cut at ${length}`,
      )
    }
    assert.throws(() => parseSafetensors(bytesReader(bytesOf(bytes, Uint8Array.of(0)))), { code: 'hole' })
  })
  test('a header over the limit without reading it', () => {
    const reader = {
      byteLength: 2 ** 40,
      read(offset: number, length: number) {
        assert.deepEqual([offset, length], [0, 8])
        return writeSafetensors({ header: '', headerLength: 2 ** 30 })
      },
    }
    assert.throws(() => parseSafetensors(reader), { code: 'header_too_large' })
  })
})

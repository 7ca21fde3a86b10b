import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseGguf, readTensor } from './gguf.ts'
import { GgufError, type GgufErrorCode } from './gguf-error.ts'
import { metadataNumber, metadataNumbers, metadataString, metadataStrings } from './gguf-metadata.ts'
import { bytesReader } from './range-reader.ts'
import { array, bytesOf, f32, text, u32, u64, type WrittenFile, writeGguf } from './testdata/gguf-writer.ts'

const F32 = 0
const Q4_0 = 2
const vector = { name: 'vector', dims: [8], type: F32, offset: 0 }
const matrix = { name: 'matrix', dims: [32, 2], type: Q4_0, offset: 32 }
const data = Uint8Array.from({ length: 68 }, (_, i) => i)
const whole: WrittenFile = {
  metadata: [
    ['name', { type: 8, string: 'tëst' }],
    ['layers', { type: 4, u32: 30 }],
    ['tokens', array(8, 2, text('a'), text('b'))],
    ['scores', array(6, 2, f32(0.5), f32(-1))],
    ['far', { type: 11, raw: u64(-5n & 0xffffffffffffffffn) }],
  ],
  tensors: [vector, matrix],
  data,
}
const parse = (file: WrittenFile) => parseGguf(bytesReader(writeGguf(file)))

test('reads metadata and tensors', () => {
  const bytes = writeGguf(whole)
  const reader = bytesReader(bytes)
  const { version, alignment, metadata, tensors } = parseGguf(reader)
  assert.deepEqual([version, alignment], [3, 32])
  assert.equal(metadataString(metadata, 'name'), 'tëst')
  assert.equal(metadataNumber(metadata, 'layers'), 30)
  assert.equal(metadataNumber(metadata, 'far'), -5)
  assert.deepEqual(metadataStrings(metadata, 'tokens'), ['a', 'b'])
  assert.deepEqual(metadataNumbers(metadata, 'scores'), [0.5, -1])
  const start = bytes.length - data.length
  assert.deepEqual(tensors.get('vector'), { name: 'vector', type: 'F32', dims: [8], offset: start, byteLength: 32 })
  const found = tensors.get('matrix')
  assert.ok(found)
  assert.deepEqual([...readTensor(reader, found)], [...data.subarray(32)])
})

test('reads a file whose alignment is its own', () => {
  const file = { ...whole, metadata: [['general.alignment', { type: 4, u32: 64 }]], alignment: 64 } as const
  const tensors = [vector, { ...matrix, offset: 64 }]
  const offsets = [...parse({ ...file, tensors, data: new Uint8Array(100) }).tensors.values()].map((t) => t.offset % 64)
  assert.deepEqual(offsets, [0, 0])
})

test('a byte order mark is a character like any other: vocabularies have tokens that begin with one', () => {
  const tokens = [Uint8Array.of(0xef, 0xbb, 0xbf), '\ufeffusing', 'using'].map(text)
  const { metadata } = parse({ metadata: [['tokens', array(8, 3, ...tokens)]] })
  assert.deepEqual(metadataStrings(metadata, 'tokens'), ['\ufeff', '\ufeffusing', 'using'])
})

test('a metadata getter names the key that is missing or of another type', () => {
  const { metadata } = parse(whole)
  assert.throws(() => metadataString(metadata, 'gone'), { name: 'GgufError', code: 'missing_key', message: /gone/ })
  assert.throws(() => metadataNumber(metadata, 'name'), { code: 'wrong_key_type', message: /name/ })
  assert.throws(() => metadataStrings(metadata, 'scores'), { code: 'wrong_key_type', message: /scores/ })
  assert.throws(() => metadataNumbers(metadata, 'tokens'), { code: 'wrong_key_type', message: /tokens/ })
})

describe('refuses', () => {
  const one = (metadata: WrittenFile['metadata']): WrittenFile => ({ metadata: metadata ?? [] })
  const tensor = (change: object): WrittenFile => ({ ...whole, tensors: [{ ...vector, ...change }] })
  const cases: readonly [what: string, code: GgufErrorCode, file: WrittenFile][] = [
    ['another magic', 'bad_magic', { ...whole, magic: 'GGML' }],
    ['version 0', 'unsupported_version', { ...whole, version: 0 }],
    ['version 1', 'unsupported_version', { ...whole, version: 1 }],
    ['version 4', 'unsupported_version', { ...whole, version: 4 }],
    ['a big-endian file', 'big_endian', { ...whole, version: 0x03000000 }],
    ['more tensors than the file could hold', 'invalid_count', { ...whole, tensorCount: 1 << 20 }],
    ['a tensor count over 2^53', 'invalid_value', { ...whole, tensorCount: 1n << 63n }],
    ['more keys than the file could hold', 'invalid_count', { ...whole, keyCount: 1 << 16 }],
    ['a key count over 2^53', 'invalid_value', { ...whole, keyCount: (1n << 64n) - 1n }],
    ['an empty key', 'invalid_name', one([['', { type: 4, u32: 1 }]])],
    ['a key twice', 'duplicate_key', one([1, 2].map((n) => ['same', { type: 4, u32: n }] as const))],
    ['an unknown value type', 'unknown_value_type', one([['key', { type: 13, raw: u64(0) }]])],
    ['an unknown element type', 'unknown_value_type', one([['key', array(77, 1, u64(0))]])],
    ['an array of arrays', 'nested_array', one([['key', array(9, 1, u32(4), u64(0))]])],
    ['an array longer than the file', 'invalid_count', one([['key', array(4, 1000, u32(1))]])],
    ['an array of 2^60 elements', 'invalid_value', one([['key', array(4, 1n << 60n)]])],
    ['a string array that ends early', 'invalid_count', one([['key', array(8, 2, text('a'))]])],
    ['a string longer than the file', 'invalid_count', one([['key', { type: 8, raw: u64(1 << 30) }]])],
    ['a string of 2^64 − 1 bytes', 'invalid_value', one([['key', { type: 8, raw: u64((1n << 64n) - 1n) }]])],
    ['a string that is not UTF-8', 'invalid_string', one([['key', { type: 8, raw: text(Uint8Array.of(0xff, 0xfe)) }]])],
    ['a boolean of 2', 'invalid_value', one([['key', { type: 7, raw: Uint8Array.of(2) }]])],
    ['a number over 2^53', 'invalid_value', one([['key', { type: 10, raw: u64((1n << 53n) + 1n) }]])],
    ['an alignment of 0', 'invalid_alignment', one([['general.alignment', { type: 4, u32: 0 }]])],
    ['an alignment of 24', 'invalid_alignment', one([['general.alignment', { type: 4, u32: 24 }]])],
    ['an alignment of 2^31', 'invalid_alignment', one([['general.alignment', { type: 4, u32: 2 ** 31 }]])],
    ['an alignment that is a string', 'invalid_alignment', one([['general.alignment', { type: 8, string: '32' }]])],
    ['a tensor without a name', 'invalid_name', tensor({ name: '' })],
    ['a tensor name of 64 bytes', 'invalid_name', tensor({ name: 'é'.repeat(32) })],
    ['a tensor twice', 'duplicate_tensor', { ...whole, tensors: [vector, { ...vector, offset: 32 }] }],
    ['a tensor of an unknown type', 'unknown_tensor_type', tensor({ type: 4 })],
    ['a tensor without dimensions', 'invalid_dims', tensor({ dims: [] })],
    ['a tensor of five dimensions', 'invalid_dims', tensor({ dims: [1, 1, 1, 1, 1] })],
    ['a dimension of 0', 'invalid_dims', tensor({ dims: [8, 0] })],
    ['a dimension over 2^53', 'invalid_value', tensor({ dims: [1n << 63n] })],
    ['elements over 2^53', 'invalid_dims', tensor({ dims: [1 << 30, 1 << 30] })],
    ['elements that wrap 64 bits to few', 'invalid_dims', tensor({ dims: [1n << 40n, (1n << 40n) + 1n] })],
    ['a row that ends inside a block', 'partial_block', tensor({ type: Q4_0, dims: [40, 4] })],
    ['a misaligned tensor', 'misaligned_tensor', tensor({ offset: 8 })],
    ['a tensor past the end', 'tensor_out_of_bounds', tensor({ dims: [18] })],
    ['a tensor that begins past the end', 'tensor_out_of_bounds', tensor({ offset: 1 << 20 })],
    ['an offset over 2^53', 'invalid_value', tensor({ offset: (1n << 64n) - 32n })],
    ['overlapping tensors', 'overlapping_tensors', { ...whole, tensors: [vector, { ...matrix, offset: 0 }] }],
  ]
  for (const [what, code, file] of cases) {
    test(what, () => assert.throws(() => parse(file), { name: 'GgufError', code }))
  }
  test('a file that is cut anywhere', () => {
    const bytes = writeGguf(whole)
    for (const length of [0, 3, 7, 12]) {
      assert.throws(() => parseGguf(bytesReader(bytes.subarray(0, length))), { code: 'truncated' }, `cut at ${length}`)
    }
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => parseGguf(bytesReader(bytes.subarray(0, length))), GgufError, `cut at ${length}`)
    }
  })
  test('an array over the limit without making it', () => {
    const reader = {
      byteLength: 1 << 30,
      read: (offset: number, length: number) => head.subarray(offset, offset + length),
    }
    const head = bytesOf(writeGguf({ metadata: [['key', array(0, (1 << 23) + 1)]] }), new Uint8Array(1 << 16))
    assert.throws(() => parseGguf(reader), { code: 'invalid_count', message: /key/ })
  })
})

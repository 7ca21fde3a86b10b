import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { openRangeReader } from './range-reader.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'tandem-range-'))
after(() => rmSync(folder, { recursive: true }))
const file = path.join(folder, 'bytes')

test('reads ranges and nothing beyond', () => {
  writeFileSync(file, Uint8Array.of(0, 1, 2, 3, 4))
  using reader = openRangeReader(file)
  assert.equal(reader.byteLength, 5)
  assert.deepEqual([...reader.read(1, 3)], [1, 2, 3])
  assert.deepEqual([...reader.read(5, 0)], [])
  for (const [offset, length] of [
    [-1, 1],
    [0, 6],
    [5, 1],
    [2, -1],
    [Number.NaN, 1],
  ] as const) {
    assert.throws(() => reader.read(offset, length), RangeError)
  }
})

test('a file that becomes shorter is seen', () => {
  writeFileSync(file, new Uint8Array(100))
  using reader = openRangeReader(file)
  truncateSync(file, 10)
  assert.throws(() => reader.read(0, 100), /shorter/)
})

test('a disposed reader has closed its file', () => {
  const reader = openRangeReader(file)
  reader[Symbol.dispose]()
  assert.throws(() => reader.read(0, 1), { code: 'EBADF' })
})

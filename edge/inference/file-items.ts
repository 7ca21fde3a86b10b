/** What a model takes, from a file that its owner uploaded: a zip archive of images, or a table. */
import type { R2Object } from '@cloudflare/workers-types'
import { parseCsv } from '#protocol/csv.ts'
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { PublishedModel } from '#protocol/published-model.ts'
import { type ZipEntry, ZipError } from '#protocol/zip-directory.ts'
import type { EdgeContext } from '../context.ts'
import { ownFile } from '../files/own-file.ts'
import { ZipArchive } from '../files/zip-archive.ts'
import { imageFromPng, samplesOf } from '../images/pixels.ts'
import { type Encodable, itemShape } from './inputs.ts'

export interface FileItems extends Encodable {
  /** Of each item: which of the file's it is, from 0. */
  readonly indices: readonly number[]
  /** Of images: what the archive calls them. */
  readonly names: readonly string[] | null
  /** Items of the file. */
  readonly total: number
}

/** As the trainer has it. */
const IMAGE = /\.(png|jpe?g|webp|gif)$/i
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
/** Archives are read so many entries at once. */
const AT_ONCE = 16
/** More than a model's largest image takes, whatever wrote it. */
const MOST_IMAGE_BYTES = 2 << 20
const param = 'file_id'

/**
 * At most as many as one map has, evenly chosen: every second, every fourth, and so on.
 * @throws ApiError 403 without the scope of files, 404, 400 that says what the model cannot take
 */
export async function itemsOfFile(c: EdgeContext, model: PublishedModel, id: string): Promise<FileItems> {
  const { object } = await ownFile(c, id)
  const { input } = model.parts
  if (input.kind === 'rows') return rowsOf(c, model, object)
  try {
    const archive = await ZipArchive.open(c.env.OBJECTS, object)
    return await imagesOf(archive, model)
  } catch (cause) {
    if (!(cause instanceof ZipError)) throw cause
    throw unfit(`'${model.id}' takes a zip archive of images, but ${cause.message}.`, cause)
  }
}

async function imagesOf(archive: ZipArchive, { parts: { input } }: PublishedModel): Promise<FileItems> {
  if (input.kind !== 'images') throw new TypeError('the model takes rows')
  const chosen = new EvenChoice<ZipEntry>(Math.min(LIMITS.mapItems, Math.floor(LIMITS.samples / samplesOf(input))))
  for (const entry of archive.entries) if (IMAGE.test(entry.name)) chosen.add(entry)
  if (chosen.total === 0) throw unfit('the archive has no images.')
  const images: Float32Array[] = []
  for (let at = 0; at < chosen.items.length; at += AT_ONCE) {
    const some = chosen.items.slice(at, at + AT_ONCE)
    images.push(...(await Promise.all(some.map((entry) => readImage(archive, entry, input)))))
  }
  return {
    items: images,
    shape: itemShape(input),
    indices: chosen.indices,
    names: chosen.items.map(({ name }) => name),
    total: chosen.total,
  }
}

async function readImage(
  archive: ZipArchive,
  entry: ZipEntry,
  shape: Parameters<typeof imageFromPng>[1],
): Promise<Float32Array> {
  const name = JSON.stringify(entry.name.slice(0, 100))
  if (Math.max(entry.bytes, entry.packedBytes) > MOST_IMAGE_BYTES) {
    throw unfit(`${name} has ${Math.max(entry.bytes, entry.packedBytes)} bytes, the limit is ${MOST_IMAGE_BYTES}.`)
  }
  const bytes = await archive.read(entry).catch((cause: unknown) => {
    if (!(cause instanceof ZipError)) throw cause
    throw unfit(`${name} cannot be read: ${cause.message}.`, cause)
  })
  return imageFromPng(bytes, shape, `${param}[${name}]`)
}

async function rowsOf(c: EdgeContext, { id, parts: { input } }: PublishedModel, found: R2Object): Promise<FileItems> {
  if (input.kind !== 'rows') throw new TypeError('the model takes images')
  if (found.size > LIMITS.mapTableBytes) {
    const message = `Invalid '${param}': a table may have at most ${LIMITS.mapTableBytes} bytes here, got ${found.size}.`
    throw new ApiError('request_too_large', message, { param })
  }
  const object = await c.env.OBJECTS.get(found.key)
  if (!object) throw new ApiError('not_found', 'The file is not there any more.', { param })
  const text = await object.text()
  if (text.includes('\0')) throw unfit(`'${id}' takes a table, CSV or JSONL, got another file.`)
  const names = input.columns.map(({ name }) => name)
  const chosen = new EvenChoice<Float32Array>(LIMITS.mapItems)
  const rows = /^\uFEFF?\s*\{/.test(text) ? jsonRows(text, names) : csvRows(text, names)
  for (const row of rows) chosen.add(row)
  if (chosen.total === 0) throw unfit('the table has no rows below its header.')
  return { items: chosen.items, shape: itemShape(input), indices: chosen.indices, names: null, total: chosen.total }
}

/** Columns are found by name, in any order; others are left out. */
function* csvRows(text: string, columns: readonly string[]): Generator<Float32Array> {
  let places: readonly number[] | undefined
  for (const { line, cells } of parseCsv(text)) {
    if (places) yield numbersOf(columns, line, (_, i) => cells[places?.[i] ?? -1])
    else {
      places = columns.map((column) => cells.indexOf(column))
      requireColumns(columns, cells)
    }
  }
}

function* jsonRows(text: string, columns: readonly string[]): Generator<Float32Array> {
  let line = 0
  for (const source of text.replace(/^\uFEFF/, '').split('\n')) {
    line++
    if (source.trim() === '') continue
    const object = objectOf(source, line)
    requireColumns(columns, Object.keys(object))
    yield numbersOf(columns, line, (column) => object[column])
  }
}

function objectOf(source: string, line: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(source)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (cause) {
    throw unfit(`line ${line} is not valid JSON.`, cause)
  }
  throw unfit(`line ${line} is not a JSON object.`)
}

function requireColumns(columns: readonly string[], given: readonly string[]): void {
  const missing = columns.filter((column) => !given.includes(column))
  if (missing.length === 0) return
  const shown = (names: readonly string[]) => JSON.stringify(names.join(', ').slice(0, 200))
  throw unfit(`the model’s columns ${shown(missing)} are not in the table, which has ${shown(given)}.`)
}

function numbersOf(
  columns: readonly string[],
  line: number,
  cellOf: (column: string, i: number) => unknown,
): Float32Array {
  return Float32Array.from(columns, (column, i) => {
    const cell = cellOf(column, i)
    const value = typeof cell === 'string' && NUMBER.test(cell) ? Number(cell) : cell
    if (typeof value === 'number' && Math.abs(value) <= LIMITS.magnitude) return value
    const given = JSON.stringify(cell ?? '').slice(0, 100)
    throw unfit(`line ${line}, column ${JSON.stringify(column)}: expected a number, got ${given}.`)
  })
}

/** So many of what is added at most, at even distances, without knowing how many there will be. */
class EvenChoice<T> {
  items: T[] = []
  indices: number[] = []
  total = 0
  readonly #most: number
  #stride = 1

  constructor(most: number) {
    this.#most = most
  }

  add(item: T): void {
    const index = this.total++
    if (index % this.#stride !== 0) return
    if (this.items.length === this.#most) {
      // Every second of them stays.
      this.#stride *= 2
      this.items = this.items.filter((_, i) => i % 2 === 0)
      this.indices = this.indices.filter((_, i) => i % 2 === 0)
      if (index % this.#stride !== 0) return
    }
    this.items.push(item)
    this.indices.push(index)
  }
}

function unfit(what: string, cause?: unknown): ApiError {
  return new ApiError('invalid_value', `Invalid '${param}': ${what}`, { param, cause })
}

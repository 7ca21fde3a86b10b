/**
 * Zip archives in the object store (APPNOTE.TXT 6.3.10): the directory first, then each entry as it is asked for, by its
 * range, so that a large archive need not lie in memory.
 */
import type { R2Bucket, R2Object } from '@cloudflare/workers-types'
import { crc32 } from '#protocol/crc32.ts'

export interface ZipEntry {
  readonly name: string
  /** Unpacked. */
  readonly bytes: number
  readonly packedBytes: number
  readonly crc: number
  readonly method: number
  readonly offset: number
}

/** A file that is no archive, or one that is not read here. */
export class ZipError extends Error {
  override readonly name = 'ZipError'
}

const END_BYTES = 22
const LONGEST_COMMENT = 0xffff
const MOST_DIRECTORY_BYTES = 8 << 20
const LOCAL_BYTES = 30
/** What the header before an entry's data may have beside its name and is read with it; most have nothing. */
const USUAL_EXTRA_BYTES = 64
const STORED = 0
const DEFLATED = 8

export class ZipArchive {
  /** Those of a user, by name, ascending: no folders, and none of the hidden ones that file managers put in. */
  readonly entries: readonly ZipEntry[]
  readonly #bucket: R2Bucket
  readonly #key: string
  readonly #size: number

  private constructor(bucket: R2Bucket, object: R2Object, entries: readonly ZipEntry[]) {
    this.#bucket = bucket
    this.#key = object.key
    this.#size = object.size
    this.entries = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** @throws ZipError if it is none, damaged, encrypted, or its directory too large */
  static async open(bucket: R2Bucket, object: R2Object): Promise<ZipArchive> {
    const length = Math.min(object.size, END_BYTES + LONGEST_COMMENT)
    const tail = await readRange(bucket, object.key, { offset: object.size - length, length })
    const directory = endOf(tail)
    if (directory.length > MOST_DIRECTORY_BYTES) throw new ZipError('it has too many files')
    if (directory.offset + directory.length > object.size) throw new ZipError('its directory is cut off')
    const bytes = directory.length === 0 ? new Uint8Array() : await readRange(bucket, object.key, directory)
    return new ZipArchive(bucket, object, [...entriesOf(bytes)])
  }

  /** One entry, unpacked: never more than the directory says that it has. @throws ZipError if it is damaged */
  async read({ name, bytes, packedBytes, crc, method, offset }: ZipEntry): Promise<Uint8Array> {
    const expected = LOCAL_BYTES + new TextEncoder().encode(name).length + USUAL_EXTRA_BYTES
    let piece = await this.#range(offset, expected + packedBytes)
    const view = viewOf(piece)
    if (piece.length < LOCAL_BYTES || view.getUint32(0, true) !== 0x04034b50)
      throw new ZipError('its header is missing')
    const start = LOCAL_BYTES + view.getUint16(26, true) + view.getUint16(28, true)
    if (start + packedBytes > piece.length) piece = await this.#range(offset, start + packedBytes)
    if (start + packedBytes > piece.length) throw new ZipError('it is cut off')
    const packed = piece.subarray(start, start + packedBytes)
    const contents = method === STORED ? packed : await inflate(packed, bytes)
    if (contents.length !== bytes || crc32(contents) !== crc) throw new ZipError('its checksum is wrong')
    return contents
  }

  #range(offset: number, length: number): Promise<Uint8Array> {
    if (offset >= this.#size) throw new ZipError('it is cut off')
    return readRange(this.#bucket, this.#key, { offset, length: Math.min(length, this.#size - offset) })
  }
}

interface Range {
  readonly offset: number
  readonly length: number
}

async function readRange(bucket: R2Bucket, key: string, range: Range): Promise<Uint8Array> {
  const object = await bucket.get(key, { range })
  if (!object) throw new ZipError('it is not there any more')
  return new Uint8Array(await object.arrayBuffer())
}

/** Where the directory is, by the record that ends an archive. */
function endOf(tail: Uint8Array): Range {
  const view = viewOf(tail)
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x06054b50) continue
    const [length, offset] = [view.getUint32(at + 12, true), view.getUint32(at + 16, true)]
    if (offset === 0xffffffff || length === 0xffffffff) throw new ZipError('it is over 4 GB (Zip64), which is not read')
    return { offset, length }
  }
  throw new ZipError('it is not a zip archive')
}

function* entriesOf(directory: Uint8Array): Generator<ZipEntry> {
  const view = viewOf(directory)
  const decoder = new TextDecoder()
  for (let at = 0; at < directory.length; ) {
    if (at + 46 > directory.length || view.getUint32(at, true) !== 0x02014b50) throw new ZipError('it is damaged')
    const nameEnd = at + 46 + view.getUint16(at + 28, true)
    const name = decoder.decode(directory.subarray(at + 46, nameEnd))
    const method = view.getUint16(at + 10, true)
    const isEncrypted = (view.getUint16(at + 8, true) & 1) === 1
    const next = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
    if (!name.endsWith('/') && !isHidden(name)) {
      if (isEncrypted) throw new ZipError('it is encrypted')
      if (method !== STORED && method !== DEFLATED) throw new ZipError(`it is packed by method ${method}`)
      yield {
        name,
        method,
        crc: view.getUint32(at + 16, true),
        packedBytes: view.getUint32(at + 20, true),
        bytes: view.getUint32(at + 24, true),
        offset: view.getUint32(at + 42, true),
      }
    }
    at = next
  }
}

async function inflate(packed: Uint8Array, bytes: number): Promise<Uint8Array> {
  const out = new Uint8Array(bytes)
  let filled = 0
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (filled + value.byteLength > bytes) {
        await reader.cancel()
        throw new ZipError('it has more bytes than its directory says')
      }
      out.set(value, filled)
      filled += value.byteLength
    }
  } catch (cause) {
    throw cause instanceof ZipError ? cause : new ZipError('it cannot be unpacked', { cause })
  }
  return out.subarray(0, filled)
}

/** As the runner has it: of the Mac's archives, of Windows' folders, and all that begin with a dot. */
function isHidden(name: string): boolean {
  return name.split('/').some((part) => part === '__MACOSX' || part.startsWith('.')) || /(^|\/)Thumbs\.db$/.test(name)
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/**
 * Zip archives in the object store: the directory first, then each entry as it is asked for, by its
 * range, so that a large archive need not lie in memory.
 */
import type { R2Bucket, R2Object } from '@cloudflare/workers-types'
import { crc32 } from '#protocol/crc32.ts'
import {
  dataStart,
  directoryIn,
  entriesIn,
  LOCAL_BYTES,
  requireReadable,
  STORED,
  TAIL_BYTES,
  type ZipEntry,
  ZipError,
  type ZipRange,
} from '#protocol/zip-directory.ts'

const MOST_DIRECTORY_BYTES = 8 << 20
/** What the header before an entry's data may have beside its name and is read with it; most have nothing. */
const USUAL_EXTRA_BYTES = 64

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
    const length = Math.min(object.size, TAIL_BYTES)
    const tail = await readRange(bucket, object.key, { offset: object.size - length, length })
    const directory = directoryIn(tail)
    if (directory.length > MOST_DIRECTORY_BYTES) throw new ZipError('it has too many files')
    if (directory.offset + directory.length > object.size) throw new ZipError('its directory is cut off')
    const bytes = directory.length === 0 ? new Uint8Array() : await readRange(bucket, object.key, directory)
    const entries = [...entriesIn(bytes)].filter(({ name }) => !name.endsWith('/') && !isHidden(name))
    for (const entry of entries) requireReadable(entry)
    return new ZipArchive(bucket, object, entries)
  }

  /** One entry, unpacked: never more than the directory says that it has. @throws ZipError if it is damaged */
  async read({ name, bytes, packedBytes, crc, method, offset }: ZipEntry): Promise<Uint8Array> {
    const expected = LOCAL_BYTES + new TextEncoder().encode(name).length + USUAL_EXTRA_BYTES
    let piece = await this.#range(offset, expected + packedBytes)
    const start = dataStart(piece)
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

async function readRange(bucket: R2Bucket, key: string, range: ZipRange): Promise<Uint8Array> {
  const object = await bucket.get(key, { range })
  if (!object) throw new ZipError('it is not there any more')
  return new Uint8Array(await object.arrayBuffer())
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

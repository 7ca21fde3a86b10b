/** A zip archive that lies in memory, unpacked: what a file says of its own size bounds what is computed. */
import { Inflate } from 'fflate'
import { crc32 } from '#protocol/crc32.ts'
import {
  dataStart,
  directoryIn,
  entriesIn,
  requireReadable,
  STORED,
  TAIL_BYTES,
  type ZipEntry,
  ZipError,
} from '#protocol/zip-directory.ts'

/** Unpacked, all files together. */
const MOST_BYTES = 48 << 20
const MOST_FILES = 2_000
/** Packed bytes that are unpacked at once: to a thousand times as many, at worst. */
const PIECE_BYTES = 4096

/**
 * By name.
 * @param isWanted of a name
 * @throws ZipError if it is none, damaged, or unpacks to too much
 */
export function unpackZip(bytes: Uint8Array, isWanted = (_name: string) => true): Record<string, Uint8Array> {
  // Without a prototype: a name may be any.
  const files: Record<string, Uint8Array> = Object.create(null)
  let size = 0
  let count = 0
  for (const entry of entriesOf(bytes)) {
    if (!isWanted(entry.name)) continue
    requireReadable(entry)
    size += entry.bytes
    if (size > MOST_BYTES || ++count > MOST_FILES) throw new ZipError('it unpacks to too much')
    files[entry.name] = contentsOf(bytes, entry)
  }
  return files
}

function entriesOf(bytes: Uint8Array): Generator<ZipEntry> {
  const { offset, length } = directoryIn(bytes.subarray(-TAIL_BYTES))
  return entriesIn(bytes.subarray(offset, offset + length))
}

function contentsOf(archive: Uint8Array, { offset, packedBytes, bytes, method, crc }: ZipEntry): Uint8Array {
  const start = offset + dataStart(archive.subarray(offset))
  const packed = archive.subarray(start, start + packedBytes)
  if (packed.length < packedBytes) throw new ZipError('it is cut off')
  const contents = method === STORED ? packed : inflated(packed, bytes)
  if (contents.length !== bytes || crc32(contents) !== crc) throw new ZipError('its checksum is wrong')
  return contents
}

function inflated(packed: Uint8Array, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes)
  let filled = 0
  const stream = new Inflate((piece) => {
    if (filled + piece.length > bytes) throw new ZipError('it has more bytes than its directory says')
    out.set(piece, filled)
    filled += piece.length
  })
  try {
    for (let at = 0; at < packed.length; at += PIECE_BYTES) {
      stream.push(packed.subarray(at, at + PIECE_BYTES), at + PIECE_BYTES >= packed.length)
    }
  } catch (cause) {
    throw cause instanceof ZipError ? cause : new ZipError('it cannot be unpacked', { cause })
  }
  return out.subarray(0, filled)
}

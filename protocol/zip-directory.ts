/**
 * What a zip archive has in it, by the directory at its end (APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16). Pure: whoever
 * reads an archive says where its bytes are from. Neither encryption nor ZIP64 is read.
 */

export interface ZipEntry {
  readonly name: string
  /** Unpacked. */
  readonly bytes: number
  readonly packedBytes: number
  readonly crc: number
  /** `STORED` or `DEFLATED`, once `requireReadable` has let it through. */
  readonly method: number
  readonly isEncrypted: boolean
  /** Of its own header, which `LOCAL_BYTES` begin. */
  readonly offset: number
}

/** Bytes of an archive. */
export interface ZipRange {
  readonly offset: number
  readonly length: number
}

/** A file that is no archive, or one that is not read here. */
export class ZipError extends Error {
  override readonly name = 'ZipError'
}

export const STORED = 0
export const DEFLATED = 8
export const LOCAL_BYTES = 30
const END_BYTES = 22
/** The record at the end, with the longest comment that may follow it. */
export const TAIL_BYTES = END_BYTES + 0xffff
const ENTRY_BYTES = 46
const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const LOCAL_SIGNATURE = 0x04034b50
const ZIP64 = 0xffffffff

/** Where the directory is. @param tail the last bytes of an archive, `TAIL_BYTES` if it has so many @throws ZipError */
export function directoryIn(tail: Uint8Array): ZipRange {
  const view = viewOf(tail)
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== END_SIGNATURE) continue
    const [length, offset] = [view.getUint32(at + 12, true), view.getUint32(at + 16, true)]
    if (offset === ZIP64 || length === ZIP64) throw new ZipError('it is over 4 GB (ZIP64), which is not read')
    return { offset, length }
  }
  throw new ZipError('it is not a zip archive')
}

/** In their order. @throws ZipError where the directory is damaged */
export function* entriesIn(directory: Uint8Array): Generator<ZipEntry> {
  const view = viewOf(directory)
  const decoder = new TextDecoder()
  for (let at = 0; at < directory.length; ) {
    const begins = at + ENTRY_BYTES <= directory.length && view.getUint32(at, true) === ENTRY_SIGNATURE
    const nameEnd = begins ? at + ENTRY_BYTES + view.getUint16(at + 28, true) : Number.POSITIVE_INFINITY
    if (nameEnd > directory.length) throw new ZipError('its directory is malformed')
    yield {
      name: decoder.decode(directory.subarray(at + ENTRY_BYTES, nameEnd)),
      isEncrypted: (view.getUint16(at + 8, true) & 1) === 1,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    }
    at = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
}

/** @throws ZipError for what cannot be unpacked here */
export function requireReadable({ bytes, packedBytes, offset, isEncrypted, method }: ZipEntry): void {
  if ([bytes, packedBytes, offset].includes(ZIP64)) throw new ZipError('it is over 4 GB (ZIP64), which is not read')
  if (isEncrypted) throw new ZipError('it is encrypted')
  if (method !== STORED && method !== DEFLATED)
    throw new ZipError(`it is packed by method ${method}, which is not read`)
}

/** Where an entry's data is, from its `offset` on. @param header `LOCAL_BYTES` of it, or more @throws ZipError */
export function dataStart(header: Uint8Array): number {
  const view = viewOf(header)
  if (header.length < LOCAL_BYTES || view.getUint32(0, true) !== LOCAL_SIGNATURE)
    throw new ZipError('its header is missing')
  return LOCAL_BYTES + view.getUint16(26, true) + view.getUint16(28, true)
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

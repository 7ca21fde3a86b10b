/** Bytes by their place, wherever they lie: what an importer reads from. */
export interface RangeReader {
  readonly byteLength: number
  /** Exactly `length` bytes from `offset`; throws RangeError if there are not so many. */
  read(offset: number, length: number): Uint8Array
}

export function bytesReader(bytes: Uint8Array): RangeReader {
  return {
    byteLength: bytes.length,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length) {
        throw new RangeError(`${length} bytes at ${offset} are not within ${bytes.length}`)
      }
      return bytes.subarray(offset, offset + length)
    },
  }
}

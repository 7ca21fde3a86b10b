import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { RangeReader } from '#models/importers/range-reader.ts'

/** A file as a range reader; closed when it is disposed. */
export function openRangeReader(path: string): RangeReader & Disposable {
  const descriptor = openSync(path, 'r')
  const { size } = fstatSync(descriptor)
  return {
    byteLength: size,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > size) {
        throw new RangeError(`${length} bytes at ${offset} are not within ${size}`)
      }
      const bytes = new Uint8Array(length)
      for (let done = 0; done < length; ) {
        const count = readSync(descriptor, bytes, done, length - done, offset + done)
        if (count === 0) throw new RangeError(`${path} became shorter than ${size} bytes`)
        done += count
      }
      return bytes
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  }
}

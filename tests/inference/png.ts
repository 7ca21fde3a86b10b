/** PNGs of one grey channel, by Node's own zlib: written, and read where no line is filtered. */
import { crc32, deflateSync, inflateSync } from 'node:zlib'

/** @param pixels 0 to 255, row by row */
export function pngOf(pixels: readonly number[], width: number): string {
  const height = pixels.length / width
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8
  const lines = Array.from({ length: height }, (_, y) => [0, ...pixels.slice(y * width, (y + 1) * width)])
  const parts = [chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.from(lines.flat()))), chunk('IEND')]
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts]).toString('base64')
}

/** In [0, 1]. */
export function samplesOf(base64: string): number[] {
  const file = Buffer.from(base64, 'base64')
  const width = file.readUInt32BE(16)
  const at = file.indexOf('IDAT')
  const lines = inflateSync(file.subarray(at + 4, at + 4 + file.readUInt32BE(at - 4)))
  return [...lines].flatMap((byte, i) => (i % (width + 1) === 0 ? [] : [byte / 255]))
}

export function chunk(type: string, body: Buffer = Buffer.alloc(0)): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const out = Buffer.alloc(named.length + 8)
  out.writeUInt32BE(body.length, 0)
  named.copy(out, 4)
  out.writeUInt32BE(crc32(named), named.length + 4)
  return out
}

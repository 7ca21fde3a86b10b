/**
 * PNG (W3C's third edition): whole images, not interlaced. What a file may unpack to is bounded by its header before
 * anything is unpacked, and by that much while it is.
 */
import { ApiError } from '#protocol/error.ts'
import { crc32 } from '#protocol/crc32.ts'

/** Samples in [0, 1], pixel by pixel: grey, grey and alpha, RGB, or RGB and alpha. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly samples: Float32Array
}

interface Header {
  readonly width: number
  readonly height: number
  readonly depth: number
  readonly colour: number
}

interface Chunks {
  readonly header: Header
  readonly palette: Uint8Array | null
  readonly transparency: Uint8Array | null
  readonly data: readonly Uint8Array[]
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
/** By colour type: samples a pixel, and the depths that go with it. */
const COLOURS: Readonly<Record<number, { samples: number; depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
}
const PALETTE = 3

/** A file that is no PNG, or one that is not read here. */
export class PngError extends Error {
  override readonly name = 'PngError'
}

/** Width and height as the header has them. @throws PngError */
export function pngSize(file: Uint8Array): { width: number; height: number } {
  return readHeader(file)
}

/** @throws PngError; sizes are for the caller to check first, by `pngSize` */
export async function decodePng(file: Uint8Array): Promise<Picture> {
  const chunks = readChunks(file)
  const { width, height, depth, colour } = chunks.header
  const samples = COLOURS[colour]?.samples ?? 0
  const rowBytes = Math.ceil((width * samples * depth) / 8)
  const raw = await unpack(chunks.data, (rowBytes + 1) * height)
  unfilter(raw, { rowBytes, height, step: Math.max(1, (samples * depth) / 8) })
  const integers = readSamples(raw, { rowBytes, height, perRow: width * samples, depth })
  return { width, height, ...coloured(integers, samples, chunks) }
}

function readHeader(file: Uint8Array): Header {
  if (file.length < 33 || SIGNATURE.some((byte, i) => file[i] !== byte)) throw new PngError('it is not a PNG')
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (view.getUint32(8) !== 13 || textAt(file, 12) !== 'IHDR') throw new PngError('its header is missing')
  const [width, height, depth, colour] = [view.getUint32(16), view.getUint32(20), view.getUint8(24), view.getUint8(25)]
  if (width === 0 || height === 0) throw new PngError('it has no pixels')
  if (!COLOURS[colour]?.depths.includes(depth)) throw new PngError(`it has colour type ${colour} of ${depth} bits`)
  if (view.getUint8(26) !== 0 || view.getUint8(27) !== 0) throw new PngError('its compression is unknown')
  if (view.getUint8(28) !== 0) throw new PngError('it is interlaced, which is not read')
  return { width, height, depth, colour }
}

function readChunks(file: Uint8Array): Chunks {
  const header = readHeader(file)
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  let palette: Uint8Array | null = null
  let transparency: Uint8Array | null = null
  const data: Uint8Array[] = []
  for (let at = SIGNATURE.length; ; ) {
    if (at + 12 > file.length) throw new PngError('it is cut off')
    const length = view.getUint32(at)
    if (at + 12 + length > file.length) throw new PngError('it is cut off')
    const type = textAt(file, at + 4)
    const body = file.subarray(at + 8, at + 8 + length)
    if (crc32(file.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
      throw new PngError('its checksum is wrong')
    }
    at += 12 + length
    if (type === 'PLTE') palette = body
    else if (type === 'tRNS') transparency = body
    else if (type === 'IDAT') data.push(body)
    else if (type === 'IEND') return { header, palette, transparency, data }
    // An upper-case letter first: not to be understood is not to be read.
    else if (type !== 'IHDR' && /^[A-Z]/.test(type)) throw new PngError('it has an unknown part')
  }
}

function textAt(file: Uint8Array, at: number): string {
  return String.fromCharCode(...file.subarray(at, at + 4))
}

/** Inflates to exactly `size` bytes. */
async function unpack(parts: readonly Uint8Array[], size: number): Promise<Uint8Array> {
  const out = new Uint8Array(size)
  let filled = 0
  const reader = new Blob([...parts]).stream().pipeThrough(new DecompressionStream('deflate')).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (filled + value.byteLength > size) {
        await reader.cancel()
        throw new PngError('it has more pixels than its header says')
      }
      out.set(value, filled)
      filled += value.byteLength
    }
  } catch (cause) {
    throw cause instanceof PngError ? cause : new PngError('its pixels cannot be unpacked', { cause })
  }
  if (filled < size) throw new PngError('it has fewer pixels than its header says')
  return out
}

interface Rows {
  readonly rowBytes: number
  readonly height: number
}

/** Undoes the filters (section 9) in place; `step` is the bytes of a whole pixel. */
function unfilter(raw: Uint8Array, { rowBytes, height, step }: Rows & { step: number }): void {
  for (let y = 0; y < height; y++) {
    const row = y * (rowBytes + 1)
    const filter = raw[row] ?? 0
    if (filter > 4) throw new PngError('its filter is unknown')
    for (let i = 0; i < rowBytes; i++) {
      const at = row + 1 + i
      const left = i < step ? 0 : (raw[at - step] ?? 0)
      const up = y === 0 ? 0 : (raw[at - rowBytes - 1] ?? 0)
      const upLeft = y === 0 || i < step ? 0 : (raw[at - rowBytes - 1 - step] ?? 0)
      raw[at] = (raw[at] ?? 0) + predict(filter, left, up, upLeft)
    }
  }
}

function predict(filter: number, left: number, up: number, upLeft: number): number {
  if (filter === 1) return left
  if (filter === 2) return up
  if (filter === 3) return (left + up) >> 1
  if (filter !== 4) return 0
  const base = left + up - upLeft
  const [byLeft, byUp, byUpLeft] = [Math.abs(base - left), Math.abs(base - up), Math.abs(base - upLeft)]
  if (byLeft <= byUp && byLeft <= byUpLeft) return left
  return byUp <= byUpLeft ? up : upLeft
}

function readSamples(
  raw: Uint8Array,
  { rowBytes, height, perRow, depth }: Rows & { perRow: number; depth: number },
): Uint16Array {
  const out = new Uint16Array(perRow * height)
  for (let y = 0; y < height; y++) {
    const row = y * (rowBytes + 1) + 1
    for (let i = 0; i < perRow; i++) {
      const bit = i * depth
      const at = row + (bit >> 3)
      const byte = raw[at] ?? 0
      out[y * perRow + i] =
        depth === 16 ? (byte << 8) | (raw[at + 1] ?? 0) : (byte >> (8 - depth - (bit & 7))) & ((1 << depth) - 1)
    }
  }
  return out
}

/** Integers to [0, 1]: palettes looked up, a colour that stands for transparency made so. */
function coloured(
  integers: Uint16Array,
  samples: number,
  { header: { depth, colour }, palette, transparency }: Chunks,
): { channels: number; samples: Float32Array } {
  const most = 2 ** depth - 1
  if (colour === PALETTE) return fromPalette(integers, palette, transparency)
  if (colour > PALETTE || transparency === null) {
    return { channels: samples, samples: Float32Array.from(integers, (sample) => sample / most) }
  }
  if (transparency.length !== samples * 2) throw new PngError('its transparent colour is malformed')
  const key = Array.from(
    { length: samples },
    (_, i) => ((transparency[i * 2] ?? 0) << 8) | (transparency[i * 2 + 1] ?? 0),
  )
  const channels = samples + 1
  const out = new Float32Array((integers.length / samples) * channels)
  for (let pixel = 0; pixel < integers.length / samples; pixel++) {
    const own = integers.subarray(pixel * samples, (pixel + 1) * samples)
    for (const [i, sample] of own.entries()) out[pixel * channels + i] = sample / most
    out[pixel * channels + samples] = key.every((sample, i) => sample === own[i]) ? 0 : 1
  }
  return { channels, samples: out }
}

function fromPalette(
  indices: Uint16Array,
  palette: Uint8Array | null,
  transparency: Uint8Array | null,
): { channels: number; samples: Float32Array } {
  if (palette === null || palette.length % 3 !== 0) throw new PngError('its palette is missing')
  const channels = transparency === null ? 3 : 4
  const out = new Float32Array(indices.length * channels)
  for (const [pixel, index] of indices.entries()) {
    if (index * 3 >= palette.length) throw new PngError('it has a colour that its palette has not')
    for (let i = 0; i < 3; i++) out[pixel * channels + i] = (palette[index * 3 + i] ?? 0) / 255
    if (transparency !== null) out[pixel * channels + 3] = (transparency[index] ?? 255) / 255
  }
  return { channels, samples: out }
}

/** Eight bits a sample. @param picture of 1, 3 or 4 channels; samples outside [0, 1] are clipped */
export async function encodePng({ width, height, channels, samples }: Picture): Promise<Uint8Array> {
  const colour = { 1: 0, 3: 2, 4: 6 }[channels]
  if (colour === undefined) throw new ApiError('internal_error', `A PNG has no ${channels} channels here.`)
  const rowBytes = width * channels
  const raw = new Uint8Array((rowBytes + 1) * height)
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < rowBytes; i++) {
      const sample = Math.min(1, Math.max(0, samples[y * rowBytes + i] ?? 0))
      raw[y * (rowBytes + 1) + 1 + i] = Math.round(sample * 255)
    }
  }
  const packed = new Blob([raw]).stream().pipeThrough(new CompressionStream('deflate'))
  const data = new Uint8Array(await new Response(packed).arrayBuffer())
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header.set([8, colour], 8)
  return concatenated([Uint8Array.from(SIGNATURE), chunk('IHDR', header), chunk('IDAT', data), chunk('IEND')])
}

function chunk(type: string, body = new Uint8Array()): Uint8Array {
  const out = new Uint8Array(body.length + 12)
  const view = new DataView(out.buffer)
  view.setUint32(0, body.length)
  out.set(new TextEncoder().encode(type), 4)
  out.set(body, 8)
  view.setUint32(8 + body.length, crc32(out.subarray(4, 8 + body.length)))
  return out
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Images that somebody uploaded as a zip archive. */
import sharp from 'sharp'
import { Archive } from './archive.ts'
import { DATA_LIMITS } from './data-limits.ts'
import type { ImageSet } from './data-set.ts'
import { DataSetError, shown } from './data-set-error.ts'

export interface ImageFormat {
  readonly channels: 1 | 3 | 4
  readonly height: number
  readonly width: number
}

export interface Uploaded<T> {
  readonly data: T
  /** What was left out, and why. */
  readonly warnings: readonly string[]
}

/** Images in work at once. */
const AT_ONCE = 4
/** One line for each image: `{"file_name": …, "text": …}`, as Hugging Face's imagefolder has it. */
const CAPTIONS = /(^|\/)(metadata|captions)\.jsonl$/
const IMAGE = /\.(png|jpe?g|webp|gif)$/i

/**
 * All images of an archive, by their names' order, cut to the size in the middle. Folders are classes, if there are
 * several and all images are in one; a `metadata.jsonl` has their captions. Turned as their EXIF data says; of moving ones
 * the first picture; what is transparent is laid on white unless there are four channels.
 * @throws DataSetError that names the image which cannot be read, or the limit that is exceeded
 */
export async function readImages(file: string, format: ImageFormat): Promise<Uploaded<ImageSet>> {
  using archive = await Archive.open(file)
  const names = archive.names.filter((name) => IMAGE.test(name))
  const others = archive.names.filter((name) => !IMAGE.test(name) && !CAPTIONS.test(name))
  if (names.length < 2) {
    const has = others.length > 0 ? `, and ${others.length} other files, such as ${shown(others[0] ?? '')}` : ''
    const message = `A data set needs at least 2 images (PNG, JPEG, WebP or GIF); the archive has ${names.length}${has}.`
    throw new DataSetError('too_few', message)
  }
  const size = format.channels * format.height * format.width
  if (names.length * size > DATA_LIMITS.sampleBytes) {
    const most = Math.floor(DATA_LIMITS.sampleBytes / size)
    const message = `The archive has ${names.length} images; of ${format.width} × ${format.height} pixels ${most} are the limit.`
    throw new DataSetError('too_large', message)
  }
  const captions = await readCaptions(archive, names)
  const pixels = new Uint8Array(names.length * size)
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const some = names.slice(at, at + AT_ONCE)
    const planes = await Promise.all(some.map(async (name) => readImage(await archive.read(name), name, format)))
    for (const [i, plane] of planes.entries()) pixels.set(plane, (at + i) * size)
  }
  const left = others.length === 0 ? [] : [`${others.length} files are no images, such as ${shown(others[0] ?? '')}.`]
  const { labels, classes, warnings } = readClasses(names)
  return {
    data: {
      kind: 'images',
      count: names.length,
      ...format,
      pixels,
      ...(labels && { labels, classes }),
      ...(captions && { captions }),
    },
    warnings: [...left, ...warnings],
  }
}

export interface Survey {
  /** The middle one of the images' shorter sides, in pixels. */
  readonly side: number
  readonly isGrey: boolean
}

/** Images that a survey looks at. */
const SURVEYED = 64

/** What the images of an archive are like, by the headers of the first. @throws DataSetError as `readImages` does */
export async function surveyImages(file: string): Promise<Survey> {
  using archive = await Archive.open(file)
  const names = archive.names.filter((name) => IMAGE.test(name)).slice(0, SURVEYED)
  const sides: number[] = []
  let isGrey = true
  for (const name of names) {
    const { width, height, channels } = await headerOf(await archive.read(name), name)
    sides.push(Math.min(width, height))
    isGrey &&= channels < 3
  }
  sides.sort((a, b) => a - b)
  return { side: sides[Math.floor(sides.length / 2)] ?? 0, isGrey }
}

/** @throws DataSetError if it is no image, or too large a one */
async function headerOf(bytes: Buffer, name: string): Promise<{ width: number; height: number; channels: number }> {
  if (!isImage(bytes)) {
    throw new DataSetError('unreadable_image', `${shown(name)} is not a PNG, JPEG, WebP or GIF.`, { file: name })
  }
  const { width, height, channels } = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw unreadable(name, cause)
    })
  if (width * height <= DATA_LIMITS.imagePixels) return { width, height, channels }
  const message = `${shown(name)} has ${width} × ${height} pixels, the limit is ${DATA_LIMITS.imagePixels} in all.`
  throw new DataSetError('too_large', message, { file: name })
}

function unreadable(name: string, cause: unknown): DataSetError {
  const why =
    cause instanceof Error
      ? cause.message
          .trim()
          .split('\n')[0]
          ?.replace(/[.:]+$/, '')
      : String(cause)
  return new DataSetError('unreadable_image', `${shown(name)} cannot be read as an image: ${why}.`, {
    file: name,
    cause,
  })
}

/** @returns [channels, height, width] */
async function readImage(bytes: Buffer, name: string, { channels, height, width }: ImageFormat): Promise<Uint8Array> {
  // By the header, before anything is decoded.
  await headerOf(bytes, name)
  try {
    const image = sharp(bytes, { limitInputPixels: DATA_LIMITS.imagePixels, failOn: 'error' })
      .autoOrient()
      .toColourspace('srgb')
      .resize(width, height, { fit: 'cover' })
    const shaped = channels === 4 ? image.ensureAlpha() : image.flatten({ background: '#fff' })
    const raw = await (channels === 1 ? shaped.toColourspace('b-w') : shaped).raw({ depth: 'uchar' }).toBuffer()
    return toPlanes(raw, channels, height * width)
  } catch (cause) {
    throw unreadable(name, cause)
  }
}

/** By its first bytes: what sharp reads beside these is nobody's training data. */
function isImage(bytes: Buffer): boolean {
  const starts = (text: string, at = 0) => bytes.subarray(at, at + text.length).equals(Buffer.from(text, 'latin1'))
  const isWebp = starts('RIFF') && starts('WEBP', 8)
  return starts('\x89PNG\r\n\x1a\n') || starts('\xff\xd8\xff') || isWebp || starts('GIF87a') || starts('GIF89a')
}

function toPlanes(raw: Buffer, channels: number, pixels: number): Uint8Array {
  if (raw.length !== channels * pixels) throw new RangeError(`${raw.length} samples instead of ${channels * pixels}`)
  const planes = new Uint8Array(channels * pixels)
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      planes[channel * pixels + pixel] = raw[pixel * channels + channel] ?? 0
    }
  }
  return planes
}

interface Classes {
  readonly labels?: Int32Array
  readonly classes?: readonly string[]
  readonly warnings: readonly string[]
}

/** The folder that an image is in is its class. */
function readClasses(names: readonly string[]): Classes {
  const folders = names.map((name) => name.slice(0, Math.max(0, name.lastIndexOf('/'))))
  const classes = [...new Set(folders)].sort()
  if (classes.length < 2) return { warnings: [] }
  if (classes.includes('')) {
    return { warnings: ['Some images are in no folder, so that folders are not taken for classes.'] }
  }
  const index = new Map(classes.map((name, i) => [name, i]))
  return { labels: Int32Array.from(folders, (folder) => index.get(folder) ?? 0), classes, warnings: [] }
}

/** A caption for each image, or undefined if there is no file of them. */
async function readCaptions(archive: Archive, names: readonly string[]): Promise<string[] | undefined> {
  const files = archive.names.filter((name) => CAPTIONS.test(name))
  if (files.length === 0) return undefined
  const found = new Map<string, string>()
  const known = new Set(names)
  for (const file of files) {
    const folder = file.slice(0, file.lastIndexOf('/') + 1)
    const lines = (await archive.read(file)).toString('utf8').split('\n')
    for (const [i, line] of lines.entries()) {
      if (line.trim() === '') continue
      const { name, text } = readCaption(line, { file, line: i + 1 })
      if (!known.has(folder + name)) {
        throw badCaption(`names ${shown(name)}, which is not in the archive`, { file, line: i + 1 })
      }
      found.set(folder + name, text)
    }
  }
  return names.map((name) => {
    const text = found.get(name)
    if (text !== undefined) return text
    throw new DataSetError('bad_caption', `${shown(name)} has no caption in ${shown(files[0] ?? '')}.`, { file: name })
  })
}

interface Place {
  readonly file: string
  readonly line: number
}

function readCaption(line: string, place: Place): { name: string; text: string } {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw badCaption('is not valid JSON', place, cause)
  }
  const { file_name: name, text } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  if (typeof name !== 'string' || typeof text !== 'string') {
    throw badCaption('must have the texts "file_name" and "text"', place)
  }
  if (text.length > DATA_LIMITS.captionLength) {
    throw badCaption(`has a text of ${text.length} characters, the limit is ${DATA_LIMITS.captionLength}`, place)
  }
  return { name, text }
}

function badCaption(what: string, place: Place, cause?: unknown): DataSetError {
  return new DataSetError('bad_caption', `Line ${place.line} of ${shown(place.file)} ${what}.`, { ...place, cause })
}

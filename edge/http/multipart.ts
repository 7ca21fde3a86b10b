/**
 * Reads a multipart form as it arrives (RFC 7578, RFC 2046 section 5.1), so that a file need not lie in memory. Each part
 * has to be read to its end before the next.
 */
import { ApiError } from '#protocol/error.ts'

/** Of one part. */
const MOST_HEADER_BYTES = 8 << 10
const MOST_PARTS = 16
const LINE = '\r\n'

export interface FormPart {
  readonly name: string
  /** Of a file; undefined for a field. */
  readonly filename: string | undefined
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * @param most bytes that the body may have
 * @throws ApiError 400, 413 or 415
 */
export async function* formParts(request: Request, most: number): AsyncGenerator<FormPart> {
  const declared = request.headers.get('content-length')
  if (declared !== null && Number(declared) > most) throw tooLarge(`${declared} bytes`, most)
  const boundary = boundaryOf(request.headers.get('content-type') ?? '')
  if (request.body === null) throw malformed('it is empty')
  const reader = request.body.getReader()
  try {
    yield* new MultipartReader(reader, boundary, most).parts()
  } finally {
    // Not cancelled: the rest is drained, so that the client hears the answer.
    reader.releaseLock()
  }
}

class MultipartReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #delimiter: Uint8Array
  readonly #most: number
  #size = 0
  /** What has been read and not yet been given. As if the first boundary began a line, too. */
  #rest: Uint8Array = encode(LINE)

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, boundary: string, most: number) {
    this.#reader = reader
    this.#delimiter = encode(`${LINE}--${boundary}`)
    this.#most = most
  }

  async *parts(): AsyncGenerator<FormPart> {
    for await (const piece of this.#untilDelimiter()) if (piece.length > 0) throw malformed('something precedes it')
    for (let count = 0; ; count++) {
      const end = await this.#take(2)
      if (equals(end, encode('--'))) return await this.#readRest()
      if (!equals(end, encode(LINE))) throw malformed('a boundary is followed by something else')
      if (count >= MOST_PARTS) throw malformed(`it has more than ${MOST_PARTS} parts`)
      let read = false
      const untilEnd = this.#untilDelimiter()
      const body = (async function* () {
        yield* untilEnd
        read = true
      })()
      yield { ...headersOf(await this.#headerLines()), body }
      if (!read) for await (const _ of body);
    }
  }

  /** The bytes before the next delimiter, which is taken away, too. */
  async *#untilDelimiter(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = indexOf(this.#rest, this.#delimiter)
      if (at >= 0) {
        const last = this.#rest.subarray(0, at)
        this.#rest = this.#rest.subarray(at + this.#delimiter.length)
        if (last.length > 0) yield last
        return
      }
      // What may be the beginning of one stays.
      const safe = this.#rest.length - this.#delimiter.length + 1
      if (safe > 0) {
        const piece = this.#rest.subarray(0, safe)
        this.#rest = this.#rest.subarray(safe)
        yield piece
      }
      await this.#fill()
    }
  }

  async #headerLines(): Promise<string[]> {
    const lines: string[] = []
    let size = 0
    for (;;) {
      const line = await this.#line()
      if (line === '') return lines
      size += line.length
      if (size > MOST_HEADER_BYTES) throw malformed(`a part’s header has more than ${MOST_HEADER_BYTES} bytes`)
      lines.push(line)
    }
  }

  async #line(): Promise<string> {
    for (;;) {
      const at = indexOf(this.#rest, encode(LINE))
      if (at >= 0) {
        const line = this.#rest.subarray(0, at)
        this.#rest = this.#rest.subarray(at + 2)
        return decode(line)
      }
      if (this.#rest.length > MOST_HEADER_BYTES) {
        throw malformed(`a part’s header has more than ${MOST_HEADER_BYTES} bytes`)
      }
      await this.#fill()
    }
  }

  async #take(count: number): Promise<Uint8Array> {
    while (this.#rest.length < count) await this.#fill()
    const taken = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(count)
    return taken
  }

  async #fill(): Promise<void> {
    const chunk = await this.#read()
    if (!chunk) throw malformed('it ends in the middle')
    const joined = new Uint8Array(this.#rest.length + chunk.length)
    joined.set(this.#rest)
    joined.set(chunk, this.#rest.length)
    this.#rest = joined
  }

  async #readRest(): Promise<void> {
    while (await this.#read());
  }

  async #read(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#reader.read()
    if (done) return undefined
    this.#size += value.length
    if (this.#size > this.#most) throw tooLarge('more', this.#most)
    return value
  }
}

function boundaryOf(type: string): string {
  if (type.split(';', 1)[0]?.trim().toLowerCase() !== 'multipart/form-data') {
    const given = type === '' ? 'none' : `'${type.slice(0, 100)}'`
    const message = `The Content-Type header must be 'multipart/form-data', got ${given}.`
    throw new ApiError('unsupported_media_type', message)
  }
  const [, quoted, plain] = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;",]{1,70}))/i.exec(type) ?? []
  return quoted ?? plain ?? raise(malformed('its Content-Type has no boundary of at most 70 characters'))
}

function headersOf(lines: readonly string[]): { name: string; filename: string | undefined } {
  const disposition = lines.find((line) => /^content-disposition\s*:/i.test(line)) ?? ''
  const parameter = (key: string) => {
    const [, value] = new RegExp(`;\\s*${key}="((?:[^"\\\\]|\\\\.)*)"`, 'i').exec(disposition) ?? []
    // As browsers and Node's fetch write what would end the name.
    return value?.replaceAll(/%22|%0D|%0A/gi, (escaped) => decodeURIComponent(escaped)).replaceAll(/\\(["\\])/g, '$1')
  }
  const name = parameter('name')
  if (name === undefined) throw malformed('a part has no name')
  return { name, filename: parameter('filename') }
}

/** The first place of `wanted` in `bytes`, or -1. */
function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  const [first = 0] = wanted
  const last = bytes.length - wanted.length
  for (let at = bytes.indexOf(first); at >= 0 && at <= last; at = bytes.indexOf(first, at + 1)) {
    let same = 1
    while (same < wanted.length && bytes[at + same] === wanted[same]) same++
    if (same === wanted.length) return at
  }
  return -1
}

const equals = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch (cause) {
    throw new ApiError('invalid_request', 'The body is not a valid multipart form: a header is not UTF-8.', { cause })
  }
}

function raise(error: Error): never {
  throw error
}

function malformed(why: string): ApiError {
  return new ApiError('invalid_request', `The body is not a valid multipart form: ${why}.`)
}

function tooLarge(given: string, most: number): ApiError {
  return new ApiError('request_too_large', `The body may have at most ${most} bytes, got ${given}.`)
}

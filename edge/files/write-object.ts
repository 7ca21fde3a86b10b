/** Writes what arrives into the object store, piece by piece: no more of it than a piece lies in memory. */
import type { DigestStream, R2Bucket, R2MultipartUpload, R2UploadedPart } from '@cloudflare/workers-types'
import { ApiError } from '#protocol/error.ts'
import { settledWithin } from '../storage/settled-within.ts'

/** The Worker's own: Web Crypto takes no stream. */
const { DigestStream: Digest } = crypto as unknown as { DigestStream: typeof DigestStream }
/** R2 wants pieces of one size, but for the last, of at least 5 MiB. */
const PIECE_BYTES = 8 << 20

/** A write to a local disk that is full may never end. */
const WRITE_MS = 60_000

export interface Written {
  readonly bytes: number
  /** In hexadecimal. */
  readonly sha256: string
  readonly md5: string
}

/**
 * Writes all of `chunks` under `key`. It is there, whole, when this returns; if `chunks` throws, nothing is.
 * @param expected the SHA-256 that they have to have
 * @throws ApiError 422 if they have another
 */
export async function writeObject(
  bucket: R2Bucket,
  key: string,
  chunks: AsyncIterable<Uint8Array>,
  expected?: string,
): Promise<Written> {
  const digests = [new Digest('SHA-256'), new Digest('MD5')] as const
  const writers = digests.map((digest) => digest.getWriter())
  const sink = new PieceSink(bucket, key)
  let bytes = 0
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length
      await Promise.all(writers.map((writer) => writer.write(chunk)))
      await sink.add(chunk)
    }
    await Promise.all(writers.map((writer) => writer.close()))
    const [sha256 = '', md5 = ''] = await Promise.all(digests.map(async ({ digest }) => hex(await digest)))
    if (expected !== undefined && expected !== sha256) {
      throw new ApiError('unprocessable', `The bytes have the SHA-256 ${sha256}, not ${expected}.`)
    }
    await sink.end()
    return { bytes, sha256, md5 }
  } catch (error) {
    for (const { digest } of digests) digest.catch(() => {})
    await Promise.allSettled(writers.map((writer) => writer.abort(error)))
    await sink.abort()
    throw error
  }
}

class PieceSink {
  readonly #bucket: R2Bucket
  readonly #key: string
  readonly #piece = new Uint8Array(PIECE_BYTES)
  #filled = 0
  #upload: R2MultipartUpload | undefined
  readonly #uploaded: R2UploadedPart[] = []

  constructor(bucket: R2Bucket, key: string) {
    this.#bucket = bucket
    this.#key = key
  }

  async add(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + PIECE_BYTES - this.#filled)
      this.#piece.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
      if (this.#filled === PIECE_BYTES) await this.#flush()
    }
  }

  async end(): Promise<void> {
    if (!this.#upload) {
      await inTime(this.#bucket.put(this.#key, this.#piece.subarray(0, this.#filled)))
      return
    }
    if (this.#filled > 0) await this.#flush()
    await inTime(this.#upload.complete(this.#uploaded))
  }

  async abort(): Promise<void> {
    if (this.#upload) await inTime(this.#upload.abort()).catch(() => {})
  }

  async #flush(): Promise<void> {
    this.#upload ??= await this.#bucket.createMultipartUpload(this.#key)
    const piece = this.#piece.subarray(0, this.#filled)
    this.#uploaded.push(await inTime(this.#upload.uploadPart(this.#uploaded.length + 1, piece)))
    this.#filled = 0
  }
}

/** @throws ApiError 503 if the store does not take it */
function inTime<T>(writing: Promise<T>): Promise<T> {
  const late = () =>
    new ApiError('storage_full', `The object store has not taken what was sent within ${WRITE_MS / 1000} s.`, {
      retryAfter: WRITE_MS / 1000,
    })
  return settledWithin(writing, WRITE_MS, late)
}

function hex(buffer: ArrayBuffer): string {
  return [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * Files of published models, by the hash of their bytes: those that ship with Tandem where they lie, others fetched from
 * the edge and kept, within bounds, under `<root>/published/<sha256>.onnx`.
 */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { bundledFiles } from '#models/bundled/files.ts'
import { bundledTranslationFiles } from '#models/bundled/translations.ts'
import { ApiError } from '#protocol/error.ts'
import { type ModelFile, modelFilePath } from '#protocol/published-model.ts'

const MOST_FILE_BYTES = 256 << 20
/** Of all that are kept; the one used longest ago goes first. */
const MOST_KEPT_BYTES = 2 ** 30
const FETCH_MS = 60_000
const RETRY_SECONDS = 5

export interface PublishedFilesOptions {
  /** The model cache. */
  readonly root: string
  /** Where what is not there is fetched; undefined if there is no such place. */
  readonly edge: string | undefined
  readonly secret: string
  readonly mostBytes?: number
}

export class PublishedFiles {
  readonly #options: PublishedFilesOptions
  readonly #folder: string
  /** Known when the first is asked for. */
  #bundled: Promise<ReadonlyMap<string, string>> | undefined
  #lastUseMs = 0

  constructor(options: PublishedFilesOptions) {
    this.#options = options
    this.#folder = path.join(options.root, 'published')
  }

  /**
   * A file's bytes, which are what its hash says.
   * @throws ApiError `model_unavailable` if it cannot be had, `not_implemented` if it is too large
   */
  async read(file: ModelFile): Promise<Uint8Array> {
    if (file.bytes > MOST_FILE_BYTES) {
      const message = `The model's file has ${file.bytes} bytes; the limit is ${MOST_FILE_BYTES}.`
      throw new ApiError('not_implemented', message, { param: 'model' })
    }
    this.#bundled ??= shippedFiles()
    const shipped = (await this.#bundled).get(file.sha256)
    if (shipped !== undefined) return readFile(shipped)
    return (await this.#kept(file)) ?? (await this.#fetched(file))
  }

  /** Undefined if it is not there, or not any more what it was. */
  async #kept({ sha256 }: ModelFile): Promise<Uint8Array | undefined> {
    const name = this.#pathOf(sha256)
    const bytes = await readFile(name).catch(missing)
    if (bytes === undefined) return undefined
    if (hashOf(bytes) !== sha256) {
      await rm(name, { force: true })
      return undefined
    }
    await this.#touch(name)
    return bytes
  }

  async #fetched(file: ModelFile): Promise<Uint8Array> {
    const { edge, secret } = this.#options
    if (edge === undefined) throw unavailable(file, 'this runner was not told of an edge (EDGE_URL)')
    const response = await fetch(new URL(modelFilePath(file.sha256), edge), {
      headers: { authorization: `Bearer ${secret}` },
      signal: AbortSignal.timeout(FETCH_MS),
    }).catch((cause: unknown) => {
      throw unavailable(file, 'the edge cannot be reached', cause)
    })
    if (!response.ok) {
      await response.body?.cancel()
      throw unavailable(file, `the edge answers ${response.status}`)
    }
    const bytes = await readAll(response, file)
    if (hashOf(bytes) !== file.sha256) throw unavailable(file, 'its bytes are not what its hash says')
    await this.#keep(file, bytes)
    return bytes
  }

  async #keep({ sha256 }: ModelFile, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const fresh = path.join(this.#folder, `.${randomUUID()}`)
    try {
      await writeFile(fresh, bytes)
      await this.#touch(fresh)
      await rename(fresh, this.#pathOf(sha256))
    } catch (error) {
      await rm(fresh, { force: true })
      throw error
    }
    await this.#makeRoom()
  }

  /** Every use later than the one before, though several fall into one millisecond. */
  async #touch(name: string): Promise<void> {
    this.#lastUseMs = Math.max(Date.now(), this.#lastUseMs + 1)
    const time = new Date(this.#lastUseMs)
    await utimes(name, time, time)
  }

  async #makeRoom(): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith('.onnx'))
    const files = await Promise.all(
      names.map(async (name) => ({ name, ...statsOf(await stat(path.join(this.#folder, name)).catch(missing)) })),
    )
    let kept = files.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { name, bytes } of files.sort((a, b) => a.usedAt - b.usedAt)) {
      if (kept <= (this.#options.mostBytes ?? MOST_KEPT_BYTES)) return
      await rm(path.join(this.#folder, name), { force: true })
      kept -= bytes
    }
  }

  #pathOf(sha256: string): string {
    return path.join(this.#folder, `${sha256}.onnx`)
  }
}

const shippedFiles = async (): Promise<ReadonlyMap<string, string>> =>
  new Map([...(await bundledFiles()), ...(await bundledTranslationFiles())])

/** The body, which has to be as long as it should. */
async function readAll(response: Response, file: ModelFile): Promise<Uint8Array> {
  const bytes = new Uint8Array(file.bytes)
  let filled = 0
  try {
    for await (const chunk of response.body ?? []) {
      if (filled + chunk.byteLength > bytes.byteLength) throw new RangeError('there are more bytes')
      bytes.set(chunk, filled)
      filled += chunk.byteLength
    }
  } catch (cause) {
    throw unavailable(file, 'it did not come whole', cause)
  }
  if (filled < bytes.byteLength) throw unavailable(file, `it has ${filled} bytes, not ${file.bytes}`)
  return bytes
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const statsOf = (stats: { size: number; mtimeMs: number } | undefined) => ({
  bytes: stats?.size ?? 0,
  usedAt: stats?.mtimeMs ?? 0,
})

/** Of a file that is not there: undefined. @throws anything else */
function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

function unavailable({ sha256 }: ModelFile, reason: string, cause?: unknown): ApiError {
  return new ApiError('model_unavailable', `The model's file ${sha256} cannot be had: ${reason}.`, {
    retryAfter: RETRY_SECONDS,
    cause,
  })
}

/** A file on its way to the server, in parts by `/v1/uploads`: it can be stopped, and goes on with the next part. */
import { signal } from '@preact/signals'
import * as v from 'valibot'
import type { Http } from './http.ts'

const PART_BYTES = 8 << 20
/** Of one file, as the API has it. */
export const MOST_FILE_BYTES = 512 << 20

const createdSchema = v.object({ id: v.string() })
const completedSchema = v.object({ file: v.object({ id: v.string() }) })

export class FileUpload {
  readonly file: File
  /** Bytes that the server has. */
  readonly sent = signal(0)
  readonly #http: Http
  readonly #parts: string[] = []
  #upload: string | null = null
  #fileId: string | null = null

  constructor(http: Http, file: File) {
    this.#http = http
    this.file = file
  }

  /**
   * Sends what the server does not have yet.
   * @returns the file's id
   * @throws RequestFailure
   */
  async run(signal: AbortSignal): Promise<string> {
    if (this.#fileId !== null) return this.#fileId
    const { name, size, type } = this.file
    const bytes = { bytes: size, filename: name, mime_type: type || 'application/octet-stream', purpose: 'fine-tune' }
    this.#upload ??= (await this.#http.json(createdSchema, 'POST', '/v1/uploads', { body: bytes, signal })).id
    const path = `/v1/uploads/${encodeURIComponent(this.#upload)}`
    while (this.#parts.length * PART_BYTES < size) {
      const from = this.#parts.length * PART_BYTES
      const body = new FormData()
      body.set('data', this.file.slice(from, from + PART_BYTES), name)
      this.#parts.push((await this.#http.json(createdSchema, 'POST', `${path}/parts`, { body, signal })).id)
      this.sent.value = Math.min(size, from + PART_BYTES)
    }
    const body = { part_ids: this.#parts }
    const { file } = await this.#http.json(completedSchema, 'POST', `${path}/complete`, { body, signal })
    this.#fileId = file.id
    return file.id
  }
}

/** `/v1/files`: what was uploaded, and what came of trainings. */
import * as v from 'valibot'
import type { Http } from './http.ts'

const PATH = '/v1/files'
const AT_A_TIME = 50

const fileSchema = v.object({
  id: v.string(),
  filename: v.string(),
  bytes: v.number(),
  created_at: v.number(),
  purpose: v.string(),
})
export type StoredFile = v.InferOutput<typeof fileSchema>
const filesSchema = v.object({ data: v.array(fileSchema), has_more: v.boolean() })

/** All throw RequestFailure. */
export class FilesApi {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  /** Newest first, those after the file `after`; `more` if there are others. */
  async list(after: string | null): Promise<{ files: readonly StoredFile[]; more: boolean }> {
    const since = after === null ? '' : `&after=${encodeURIComponent(after)}`
    const { data, has_more } = await this.#http.json(filesSchema, 'GET', `${PATH}?limit=${AT_A_TIME}${since}`)
    return { files: data, more: has_more }
  }

  /** @param purpose as the API has it; `user_data` is what a request may name */
  async add(file: File, purpose: 'user_data', signal: AbortSignal): Promise<StoredFile> {
    const body = new FormData()
    body.set('purpose', purpose)
    body.set('file', file, file.name)
    return this.#http.json(fileSchema, 'POST', PATH, { body, signal })
  }

  async remove(id: string): Promise<void> {
    await this.#http.send('DELETE', `${PATH}/${encodeURIComponent(id)}`)
  }
}

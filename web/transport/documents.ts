/** `/v2/document`: DeepL's. A document is sent, asked about, fetched once or given up. */
import * as v from 'valibot'
import type { Http } from './http.ts'

const PATH = '/v2/document'
const handleSchema = v.object({ document_id: v.string(), document_key: v.string() })
/** What one is asked about with. */
export type DocumentHandle = v.InferOutput<typeof handleSchema>
const statusSchema = v.object({
  status: v.picklist(['queued', 'translating', 'done', 'error']),
  error_message: v.optional(v.string()),
})
export type DocumentStatus = v.InferOutput<typeof statusSchema>

export interface DocumentRequest {
  readonly file: File
  /** ISO 639-1; null: it is found out. */
  readonly source: string | null
  readonly target: string
  readonly glossary: string | null
  /** Null: whichever is for the languages. */
  readonly model: string | null
}

/** All throw RequestFailure. */
export class DocumentsApi {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  async send({ file, source, target, glossary, model }: DocumentRequest, signal: AbortSignal): Promise<DocumentHandle> {
    const body = new FormData()
    body.set('target_lang', target.toUpperCase())
    if (source !== null) body.set('source_lang', source.toUpperCase())
    if (source !== null && glossary !== null) body.set('glossary_id', glossary)
    if (model !== null) body.set('model', model)
    body.set('file', file, file.name)
    return this.#http.json(handleSchema, 'POST', PATH, { body, signal })
  }

  async status(handle: DocumentHandle, signal: AbortSignal): Promise<DocumentStatus> {
    return this.#http.json(statusSchema, 'POST', pathOf(handle), { body: keyOf(handle), signal })
  }

  /** Once: after that it is gone. */
  async fetch(handle: DocumentHandle, signal: AbortSignal): Promise<Blob> {
    const response = await this.#http.send('POST', `${pathOf(handle)}/result`, { body: keyOf(handle), signal })
    return response.blob()
  }

  async giveUp(handle: DocumentHandle): Promise<void> {
    await this.#http.send('POST', `${pathOf(handle)}/cancel`, { body: keyOf(handle) })
  }
}

const pathOf = ({ document_id }: DocumentHandle): string => `${PATH}/${encodeURIComponent(document_id)}`
const keyOf = ({ document_key }: DocumentHandle) => ({ document_key })

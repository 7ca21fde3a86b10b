/** Links to a conversation: made and revoked by its owner, read by whoever has one. */
import * as v from 'valibot'
import { itemSchema } from './answers.ts'
import type { Http } from './http.ts'

const shareSchema = v.object({ id: v.string(), created_at: v.number() })
export type Share = v.InferOutput<typeof shareSchema>
const newShareSchema = v.object({ ...shareSchema.entries, url: v.string() })
export type NewShare = v.InferOutput<typeof newShareSchema>

const { role, status, incomplete_details, content } = itemSchema.entries
const sharedSchema = v.object({
  title: v.string(),
  created_at: v.number(),
  data: v.array(v.object({ role, status, incomplete_details, content })),
  has_more: v.boolean(),
})
export type Shared = v.InferOutput<typeof sharedSchema>

export class SharesApi {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  async list(conversationId: string): Promise<readonly Share[]> {
    return (await this.#http.json(v.object({ data: v.array(shareSchema) }), 'GET', pathOf(conversationId))).data
  }

  create(conversationId: string): Promise<NewShare> {
    return this.#http.json(newShareSchema, 'POST', pathOf(conversationId))
  }

  async revoke(conversationId: string, id: string): Promise<void> {
    await this.#http.send('DELETE', `${pathOf(conversationId)}/${encodeURIComponent(id)}`)
  }
}

/** All of a shared conversation. */
export async function readShared(http: Http, token: string): Promise<Shared> {
  const path = (offset: number) => `/v1/shared/${encodeURIComponent(token)}?offset=${offset}`
  let shared = await http.json(sharedSchema, 'GET', path(0))
  while (shared.has_more) {
    const next = await http.json(sharedSchema, 'GET', path(shared.data.length))
    shared = { ...next, data: [...shared.data, ...next.data] }
  }
  return shared
}

function pathOf(conversationId: string): string {
  return `/v1/conversations/${encodeURIComponent(conversationId)}/share`
}

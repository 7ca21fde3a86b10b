/** API keys and what was used with them; for whoever may administer the server. */
import * as v from 'valibot'
import type { Scope } from '#protocol/scopes.ts'
import type { Http } from './http.ts'

export const LIMITS = ['requests_per_minute', 'tokens_per_minute', 'concurrency', 'tokens_per_month'] as const
export type KeyLimits = { [Limit in (typeof LIMITS)[number]]?: number }

const PAGE = 100

const keySchema = v.object({
  id: v.string(),
  name: v.string(),
  scopes: v.array(v.string()),
  created_at: v.number(),
  expires_at: v.nullish(v.number()),
  revoked_at: v.nullish(v.number()),
})
export type ApiKey = v.InferOutput<typeof keySchema>
const newKeySchema = v.object({ ...keySchema.entries, key: v.string() })
export type NewApiKey = v.InferOutput<typeof newKeySchema>
const keysSchema = v.object({
  data: v.array(keySchema),
  has_more: v.optional(v.boolean(), false),
  last_id: v.nullish(v.string()),
})

/** OpenAI's buckets of usage, as far as the page reads them. */
const usageSchema = v.object({
  data: v.array(
    v.object({
      results: v.array(
        v.object({
          api_key_id: v.nullish(v.string()),
          model: v.nullish(v.string()),
          num_model_requests: v.optional(v.number(), 0),
          input_tokens: v.optional(v.number(), 0),
          output_tokens: v.optional(v.number(), 0),
        }),
      ),
    }),
  ),
  has_more: v.optional(v.boolean(), false),
  next_page: v.nullish(v.string()),
})
export interface Usage {
  readonly keyId: string | null
  readonly model: string | null
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
}

export interface KeyRequest {
  name: string
  scopes: readonly Scope[]
  /** Unix seconds. */
  expires_at?: number
  limits?: KeyLimits
}

export class KeysApi {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  async list(): Promise<readonly ApiKey[]> {
    const keys: ApiKey[] = []
    for (let after = ''; ; ) {
      const page = await this.#http.json(keysSchema, 'GET', `/v1/keys?limit=${PAGE}${after}`)
      keys.push(...page.data)
      if (!page.has_more || !page.last_id) return keys
      after = `&after=${encodeURIComponent(page.last_id)}`
    }
  }

  create(request: KeyRequest): Promise<NewApiKey> {
    return this.#http.json(newKeySchema, 'POST', '/v1/keys', { body: request })
  }

  async revoke(id: string): Promise<void> {
    await this.#http.send('DELETE', `/v1/keys/${encodeURIComponent(id)}`)
  }

  /** Of the days between two times (Unix seconds), summed for each key and model. */
  async usage(start: number, end: number): Promise<readonly Usage[]> {
    const sums = new Map<string, Usage>()
    const asked = `start_time=${start}&end_time=${end}&bucket_width=1d&group_by=key,model`
    for (let next = ''; ; ) {
      const page = await this.#http.json(usageSchema, 'GET', `/v1/usage?${asked}${next}`)
      for (const { api_key_id, model, ...counts } of page.data.flatMap(({ results }) => results)) {
        const name = JSON.stringify([api_key_id, model])
        const sum = sums.get(name)
        sums.set(name, {
          keyId: api_key_id ?? null,
          model: model ?? null,
          requests: (sum?.requests ?? 0) + counts.num_model_requests,
          inputTokens: (sum?.inputTokens ?? 0) + counts.input_tokens,
          outputTokens: (sum?.outputTokens ?? 0) + counts.output_tokens,
        })
      }
      if (!page.has_more || !page.next_page) return [...sums.values()]
      next = `&page=${encodeURIComponent(page.next_page)}`
    }
  }
}

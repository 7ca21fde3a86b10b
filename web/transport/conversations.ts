/** `/v1/conversations` and their items. */
import * as v from 'valibot'
import {
  type Conversation,
  type ConversationPage,
  conversationSchema,
  conversationsSchema,
  type Item,
  type ItemPage,
  itemsSchema,
} from './answers.ts'
import { RequestFailure } from './failure.ts'
import type { Http } from './http.ts'

export type TurnRole = 'user' | 'assistant'

export interface NewItem {
  role: TurnRole
  text: string
  status: 'completed' | 'incomplete'
}

export class ConversationsApi {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  create(title: string): Promise<Conversation> {
    return this.#http.json(conversationSchema, 'POST', '/v1/conversations', { body: { metadata: { title } } })
  }

  /** Newest activity first. */
  list(after: string | null, limit: number): Promise<ConversationPage> {
    return this.#http.json(conversationsSchema, 'GET', `/v1/conversations?${query({ limit: String(limit), after })}`)
  }

  rename(id: string, metadata: Record<string, string>): Promise<Conversation> {
    return this.#http.json(conversationSchema, 'POST', pathOf(id), { body: { metadata } })
  }

  async remove(id: string, keepalive = false): Promise<void> {
    await this.#http.send('DELETE', pathOf(id), { keepalive })
  }

  /** Oldest first. */
  items(id: string, after: string | null, limit: number): Promise<ItemPage> {
    const search = query({ limit: String(limit), order: 'asc', after })
    return this.#http.json(itemsSchema, 'GET', `${pathOf(id)}/items?${search}`)
  }

  async addItem(id: string, item: NewItem, keepalive = false): Promise<Item> {
    const type = item.role === 'user' ? 'input_text' : 'output_text'
    const body = {
      items: [{ type: 'message', role: item.role, status: item.status, content: [{ type, text: item.text }] }],
    }
    const created = await this.#http.json(v.object({ data: itemsSchema.entries.data }), 'POST', `${pathOf(id)}/items`, {
      body,
      keepalive,
    })
    const first = created.data[0]
    if (!first) throw new RequestFailure('malformed')
    return first
  }

  async removeItem(id: string, itemId: string): Promise<void> {
    await this.#http.send('DELETE', `${pathOf(id)}/items/${encodeURIComponent(itemId)}`)
  }
}

function pathOf(id: string): string {
  return `/v1/conversations/${encodeURIComponent(id)}`
}

function query(values: Record<string, string | null>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) if (value !== null) search.set(name, value)
  return search.toString()
}

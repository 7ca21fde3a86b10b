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

  read(id: string): Promise<Conversation> {
    return this.#http.json(conversationSchema, 'GET', pathOf(id))
  }

  /** Newest activity first; with a search, those in which all of its words occur. */
  list(after: string | null, limit: number, search: string | null = null): Promise<ConversationPage> {
    const asked = query({ limit: String(limit), after, search })
    return this.#http.json(conversationsSchema, 'GET', `/v1/conversations?${asked}`)
  }

  /** Makes another conversation of this one's items up to one of them. */
  branch(id: string, itemId: string): Promise<Conversation> {
    return this.#http.json(conversationSchema, 'POST', `${pathOf(id)}/branch`, { body: { item_id: itemId } })
  }

  /** Leads the conversation through another version of an item. */
  async showVersion(id: string, itemId: string): Promise<void> {
    await this.#http.send('POST', `${pathOf(id)}/head`, { body: { item_id: itemId } })
  }

  exportPath(id: string, format: 'markdown' | 'json'): string {
    return `${pathOf(id)}/export?format=${format}`
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

  /** Adds it after `previous`, another item or `root`; what came after that is then another version. */
  async addItem(id: string, item: NewItem, previous: string): Promise<Item> {
    const type = item.role === 'user' ? 'input_text' : 'output_text'
    const body = {
      items: [{ type: 'message', role: item.role, status: item.status, content: [{ type, text: item.text }] }],
      previous_item_id: previous,
    }
    const created = await this.#http.json(v.object({ data: itemsSchema.entries.data }), 'POST', `${pathOf(id)}/items`, {
      body,
    })
    const first = created.data[0]
    if (!first) throw new RequestFailure('malformed')
    return first
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

/** Conversations of a test's owner, made and read through the API. */
import assert from 'node:assert/strict'
import * as v from 'valibot'
import {
  type Conversation,
  type ConversationItem,
  conversationItemListSchema,
  conversationListSchema,
  conversationSchema,
  type MessageItem,
} from '#protocol/conversations.ts'
import type { Schema } from '../http/validate.ts'
import { type Ask, type Edge, errorOf } from './edge.ts'

export const ROOT = '/v1/conversations'

export interface Conversations {
  /** The answer, which has to be a 200 of this shape. */
  read<S extends Schema>(schema: S, path: string, ask?: Ask): Promise<v.InferOutput<S>>
  /** Asked and answered in turns. */
  create(title: string, ...texts: string[]): Promise<Conversation>
  /** What is shown, oldest first. */
  items(id: string): Promise<ConversationItem[]>
  add(id: string, text: string, previous?: string): Promise<ConversationItem>
  /** The titles that are found. */
  find(search: string): Promise<(string | undefined)[]>
  /** Status and code of the error that is answered. */
  refusal(path: string, ask?: Ask): Promise<[number, string | null, string | null]>
}

export function conversationsOf(edge: Edge, key: string): Conversations {
  const read: Conversations['read'] = async (schema, path, ask = {}) => {
    const response = await edge.ask(path, { key, ...ask })
    const text = await response.text()
    assert.equal(response.status, 200, text)
    return v.parse(schema, JSON.parse(text))
  }
  return {
    read,
    create: (title, ...texts) =>
      read(conversationSchema, ROOT, {
        body: {
          metadata: { title },
          items: texts.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content })),
        },
      }),
    items: async (id) => (await read(conversationItemListSchema, `${ROOT}/${id}/items?order=asc&limit=100`)).data,
    async add(id, text, previous) {
      const body = {
        items: [{ role: 'user', content: text }],
        ...(previous === undefined ? {} : { previous_item_id: previous }),
      }
      const [item] = (await read(conversationItemListSchema, `${ROOT}/${id}/items`, { body })).data
      assert.ok(item)
      return item
    },
    find: async (search) =>
      (await read(conversationListSchema, `${ROOT}?search=${encodeURIComponent(search)}`)).data.map(
        ({ metadata }) => metadata.title,
      ),
    async refusal(path, ask = {}) {
      const { status, code, param } = await errorOf(await edge.ask(path, { key, ...ask }))
      return [status, code, param]
    },
  }
}

/** Of messages; undefined for what is none. */
export const textsOf = (items: readonly (ConversationItem | Pick<MessageItem, 'content'>)[]) =>
  items.map((item) => ('content' in item ? item.content[0]?.text : undefined))

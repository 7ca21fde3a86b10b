import {
  conversationCreateSchema,
  conversationDeletedSchema,
  conversationItemListSchema,
  conversationItemSchema,
  conversationListSchema,
  conversationQuerySchema,
  conversationSchema,
  conversationUpdateSchema,
  itemChoiceSchema,
  itemsCreateSchema,
  itemsQuerySchema,
  ROOT_ITEM,
} from '#protocol/conversations.ts'
import { ApiError } from '#protocol/error.ts'
import type { EdgeContext } from '../context.ts'
import { readBody } from '../http/body.ts'
import { idempotencyOf } from '../http/idempotency-of.ts'
import { validate } from '../http/validate.ts'
import { continueFrom, showVersion } from '../storage/conversation-path.ts'
import * as store from '../storage/conversations.ts'
import { once } from '../storage/idempotency.ts'
import { activeResponse } from '../storage/turns.ts'
import type { Operation } from './operation.ts'
import { conversationOf, idOf as id, missing, ownerOf as owner, CONVERSATIONS as PATH } from './own-conversation.ts'

const common = { scope: 'conversations', tag: 'Conversations' } as const

export const conversationOperations: readonly Operation[] = [
  {
    ...common,
    method: 'GET',
    path: PATH,
    summary: 'List conversations, by newest activity',
    description:
      'With `search`, those in whose title and messages all of its words occur, in any case and part of a word.',
    query: conversationQuerySchema,
    answer: { description: 'A page of conversations', schema: conversationListSchema },
    handle: async (c) =>
      c.json(list(await store.listConversations(c.env.DB, owner(c), validate(conversationQuerySchema, c.req.query())))),
  },
  {
    ...common,
    method: 'POST',
    path: PATH,
    summary: 'Make a conversation',
    body: conversationCreateSchema,
    answer: { description: 'The new conversation', schema: conversationSchema },
    errors: ['idempotency_key_reused'],
    example: { metadata: { title: 'Names for a cat' }, items: [{ role: 'user', content: 'Hello' }] },
    async handle(c) {
      const body = await readBody(c.req.raw, conversationCreateSchema, { mayBeEmpty: true })
      const now = Date.now()
      const { conversation, statement } = store.newConversation(c.env.DB, owner(c), body.metadata ?? {}, now)
      const { statements } = store.newItems(c.env.DB, owner(c), conversation.id, body.items ?? [], now)
      return c.json(await once(c.env.DB, idempotencyOf(c, body, now), [statement, ...statements], conversation))
    },
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}`,
    summary: 'Read a conversation',
    answer: { description: 'The conversation', schema: conversationSchema },
    async handle(c) {
      const conversation = await conversationOf(c)
      const active = await activeResponse(c.env.DB, owner(c), conversation.id)
      return c.json(active === null ? conversation : { ...conversation, active_response_id: active })
    },
  },
  {
    ...common,
    method: 'POST',
    path: `${PATH}/{id}`,
    summary: 'Change a conversation’s metadata',
    body: conversationUpdateSchema,
    answer: { description: 'The conversation', schema: conversationSchema },
    async handle(c) {
      const { metadata } = await readBody(c.req.raw, conversationUpdateSchema)
      return c.json((await store.updateConversation(c.env.DB, owner(c), id(c), metadata ?? {})) ?? missing(id(c)))
    },
  },
  {
    ...common,
    method: 'DELETE',
    path: `${PATH}/{id}`,
    summary: 'Delete a conversation and its items',
    answer: { description: 'It is gone', schema: conversationDeletedSchema },
    async handle(c) {
      if (!(await store.deleteConversation(c.env.DB, owner(c), id(c)))) missing(id(c))
      return c.json({ id: id(c), object: 'conversation.deleted', deleted: true })
    },
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}/items`,
    summary: 'List a conversation’s items',
    query: itemsQuerySchema,
    answer: { description: 'A page of items', schema: conversationItemListSchema },
    async handle(c) {
      const { id } = await conversationOf(c)
      return c.json(list(await store.listItems(c.env.DB, owner(c), id, validate(itemsQuerySchema, c.req.query()))))
    },
  },
  {
    ...common,
    method: 'POST',
    path: `${PATH}/{id}/items`,
    summary: 'Add items to a conversation',
    description:
      'They come last, or after `previous_item_id` (`root`: first). What came after that item then is another version: ' +
      'it is no longer listed, and can be shown again.',
    body: itemsCreateSchema,
    answer: { description: 'The new items', schema: conversationItemListSchema },
    errors: ['idempotency_key_reused'],
    example: { items: [{ role: 'user', content: 'And one for a dog?' }] },
    async handle(c) {
      const body = await readBody(c.req.raw, itemsCreateSchema)
      const { id } = await conversationOf(c)
      const now = Date.now()
      const { items, statements } = store.newItems(c.env.DB, owner(c), id, body.items, now)
      const answer = list({ data: items, hasMore: false })
      const back = body.previous_item_id === undefined ? [] : [await after(c, body.previous_item_id)]
      return c.json(await once(c.env.DB, idempotencyOf(c, body, now), [...back, ...statements], answer))
    },
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}/items/{item_id}`,
    summary: 'Read an item',
    answer: { description: 'The item', schema: conversationItemSchema },
    async handle(c) {
      const item = c.req.param('item_id') ?? ''
      return c.json((await store.findItem(c.env.DB, owner(c), id(c), item)) ?? missing(item))
    },
  },
  {
    ...common,
    method: 'DELETE',
    path: `${PATH}/{id}/items/{item_id}`,
    summary: 'Delete an item',
    answer: { description: 'The conversation without it', schema: conversationSchema },
    async handle(c) {
      const item = c.req.param('item_id') ?? ''
      if (!(await store.deleteItem(c.env.DB, owner(c), id(c), item, Date.now()))) missing(item)
      return c.json(await conversationOf(c))
    },
  },
  {
    ...common,
    method: 'POST',
    path: `${PATH}/{id}/head`,
    summary: 'Show another version',
    description: 'The conversation then leads through this item, to the newest that was said after it.',
    body: itemChoiceSchema,
    answer: { description: 'The conversation', schema: conversationSchema },
    example: { item_id: 'msg_0199c0de5f0a7c3e9b1d2f4a6c8e0b1d' },
    async handle(c) {
      const { item_id } = await readBody(c.req.raw, itemChoiceSchema)
      const conversation = await conversationOf(c)
      await itemOf(c, item_id)
      await showVersion(c.env.DB, owner(c), conversation.id, item_id)
      return c.json(conversation)
    },
  },
  {
    ...common,
    method: 'POST',
    path: `${PATH}/{id}/branch`,
    summary: 'Branch a conversation off after an item',
    description: 'Makes another conversation of its metadata and its items up to this one.',
    body: itemChoiceSchema,
    answer: { description: 'The new conversation', schema: conversationSchema },
    errors: ['idempotency_key_reused'],
    example: { item_id: 'msg_0199c0de5f0a7c3e9b1d2f4a6c8e0b1d' },
    async handle(c) {
      const body = await readBody(c.req.raw, itemChoiceSchema)
      const origin = await conversationOf(c)
      await itemOf(c, body.item_id)
      const now = Date.now()
      const { conversation, statements } = store.newBranch(c.env.DB, owner(c), origin, body.item_id, now)
      return c.json(await once(c.env.DB, idempotencyOf(c, body, now), statements, conversation))
    },
  },
]

/** @throws ApiError 404 */
async function itemOf(c: EdgeContext, itemId: string): Promise<void> {
  if (!(await store.findItem(c.env.DB, owner(c), id(c), itemId))) missing(itemId)
}

/** What puts the next items after this one. @throws ApiError 400 */
async function after(c: EdgeContext, previous: string) {
  if (previous === ROOT_ITEM) return continueFrom(c.env.DB, owner(c), id(c), null)
  if (await store.findItem(c.env.DB, owner(c), id(c), previous)) {
    return continueFrom(c.env.DB, owner(c), id(c), previous)
  }
  throw new ApiError('invalid_value', `Invalid 'previous_item_id': there is no '${previous}'.`, {
    param: 'previous_item_id',
  })
}

function list<T extends { id: string }>({ data, hasMore }: store.Page<T>) {
  const ids = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
  return { object: 'list', data, ...ids, has_more: hasMore }
}

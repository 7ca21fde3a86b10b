/**
 * `/v1/conversations` and their items: OpenAI's shapes, for messages of text.
 *
 * https://platform.openai.com/docs/api-reference/conversations. Ours: listing and searching conversations (OpenAI has
 * neither), `updated_at`, `branched_from`, versions of an item, sharing and export. A title is `metadata.title`.
 */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'
import { metadataSchema } from './metadata.ts'
import { isOneOf, textSchema, UNSUPPORTED } from './text.ts'

export const itemRoleSchema = v.picklist(['user', 'assistant', 'system', 'developer'])
export const itemStatusSchema = v.picklist(['completed', 'incomplete'])

/** Ours, on a message that was cut at the limit of its length: why it is incomplete, as a response has it. */
const incompleteDetailsSchema = v.strictObject({ reason: v.literal('max_output_tokens') })

const inputTextSchema = v.strictObject({ type: v.literal('input_text'), text: textSchema })
const outputTextInputSchema = v.strictObject({
  type: v.literal('output_text'),
  text: textSchema,
  annotations: v.optional(v.pipe(v.array(v.unknown()), v.maxLength(0, UNSUPPORTED))),
  logprobs: v.optional(v.pipe(v.array(v.unknown()), v.maxLength(0, UNSUPPORTED))),
})
const SERVED_LATER_PARTS = ['input_image', 'input_file', 'input_audio', 'refusal', 'reasoning_text']
const contentPartSchema = v.variant('type', [inputTextSchema, outputTextInputSchema], (issue) =>
  isOneOf(issue.input, SERVED_LATER_PARTS) ? UNSUPPORTED : 'type',
)

/** OpenAI's EasyInputMessage, and a message as an answer gives it (its `id` is ours to give, so it may not be sent). */
export const itemInputSchema = v.strictObject({
  type: v.optional(v.literal('message', UNSUPPORTED)),
  role: itemRoleSchema,
  content: v.union([textSchema, v.pipe(v.array(contentPartSchema), v.minLength(1))]),
  status: v.optional(itemStatusSchema, 'completed'),
  incomplete_details: v.optional(incompleteDetailsSchema),
})
export type ItemInput = v.InferOutput<typeof itemInputSchema>

const itemsSchema = v.pipe(v.array(itemInputSchema), v.maxLength(LIMITS.conversationItems))
export const conversationCreateSchema = v.strictObject({
  items: v.nullish(itemsSchema),
  metadata: v.nullish(metadataSchema),
})
export const conversationUpdateSchema = v.strictObject({ metadata: v.nullable(metadataSchema) })
/** As OpenAI's Realtime API has it: the item that the first of these comes after, or `root`. Ours here. */
export const ROOT_ITEM = 'root'
const idSchema = v.pipe(v.string(), v.maxLength(64))
export const itemsCreateSchema = v.strictObject({
  items: v.pipe(itemsSchema, v.minLength(1)),
  previous_item_id: v.optional(idSchema),
})
/** The version to show, or the last item to copy. */
export const itemChoiceSchema = v.strictObject({ item_id: idSchema })

const pageQueryEntries = {
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number), v.integer(), v.minValue(1), v.maxValue(100)),
    '20',
  ),
  after: v.optional(idSchema),
  order: v.optional(v.picklist(['asc', 'desc']), 'desc'),
}
/** `?limit&after&order`, newest first unless told otherwise. */
export const pageQuerySchema = v.strictObject(pageQueryEntries)
export type PageQuery = v.InferOutput<typeof pageQuerySchema>
/** Of items: `include`, which clients send in either spelling; there is nothing that only it would bring. */
const includeSchema = v.optional(v.picklist(['reasoning.encrypted_content'], UNSUPPORTED))
export const itemsQuerySchema = v.strictObject({
  ...pageQueryEntries,
  include: includeSchema,
  'include[]': includeSchema,
})
/** `?search`: words that must all occur in a conversation's title or messages. */
export const conversationQuerySchema = v.strictObject({
  ...pageQueryEntries,
  search: v.optional(v.pipe(v.string(), v.maxLength(LIMITS.searchLength))),
})
export type ConversationQuery = v.InferOutput<typeof conversationQuerySchema>

export const exportQuerySchema = v.strictObject({ format: v.picklist(['markdown', 'json']) })

export const conversationSchema = v.strictObject({
  id: v.string(),
  object: v.literal('conversation'),
  /** Unix seconds. */
  created_at: v.number(),
  /** Ours: when an item was last added or removed, in Unix seconds. */
  updated_at: v.number(),
  metadata: v.record(v.string(), v.string()),
  /** Ours, on a branch whose origin still exists: that conversation, and its last item that was copied. */
  branched_from: v.optional(v.strictObject({ conversation_id: v.string(), item_id: v.string() })),
  /** Ours: the response that is being written in it. */
  active_response_id: v.optional(v.string()),
})
export type Conversation = v.InferOutput<typeof conversationSchema>

/** Ours, in a list: all versions of this item by age, itself included, where there is more than one. */
const versionsOf = { versions: v.optional(v.array(v.string())) }
export const messageItemSchema = v.strictObject({
  id: v.string(),
  type: v.literal('message'),
  role: itemRoleSchema,
  status: itemStatusSchema,
  incomplete_details: v.optional(incompleteDetailsSchema),
  content: v.array(
    v.variant('type', [
      v.strictObject({ type: v.literal('input_text'), text: v.string() }),
      v.strictObject({
        type: v.literal('output_text'),
        text: v.string(),
        annotations: v.array(v.never()),
        logprobs: v.array(v.never()),
      }),
    ]),
  ),
  ...versionsOf,
})
/** A call of a function, or what it gave: a response adds them. */
const callItemSchema = v.strictObject({
  id: v.string(),
  type: v.literal('function_call'),
  call_id: v.string(),
  name: v.string(),
  arguments: v.string(),
  status: itemStatusSchema,
  ...versionsOf,
})
const callOutputItemSchema = v.strictObject({
  id: v.string(),
  type: v.literal('function_call_output'),
  call_id: v.string(),
  output: v.string(),
  status: itemStatusSchema,
  ...versionsOf,
})
export const conversationItemSchema = v.variant('type', [messageItemSchema, callItemSchema, callOutputItemSchema])
export type ConversationItem = v.InferOutput<typeof conversationItemSchema>
export type MessageItem = v.InferOutput<typeof messageItemSchema>
export type IncompleteReason = v.InferOutput<typeof incompleteDetailsSchema>['reason']

const page = {
  object: v.literal('list'),
  first_id: v.nullable(v.string()),
  last_id: v.nullable(v.string()),
  has_more: v.boolean(),
}
/** Found by a search: the newest message of those with most of the words, and the text around the first. */
const foundConversationSchema = v.strictObject({
  ...conversationSchema.entries,
  match: v.optional(v.strictObject({ item_id: v.string(), text: v.string() })),
})
export type FoundConversation = v.InferOutput<typeof foundConversationSchema>
export const conversationListSchema = v.strictObject({ ...page, data: v.array(foundConversationSchema) })
export const conversationItemListSchema = v.strictObject({ ...page, data: v.array(conversationItemSchema) })

export const conversationDeletedSchema = v.strictObject({
  id: v.string(),
  object: v.literal('conversation.deleted'),
  deleted: v.literal(true),
})

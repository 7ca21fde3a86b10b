/** `/v1/conversations/{id}/share` and `/v1/shared/{token}`: a conversation, as it was when shared, for whoever has the link. */
import * as v from 'valibot'
import { messageItemSchema } from './conversations.ts'

export const shareSchema = v.strictObject({
  id: v.string(),
  object: v.literal('conversation.share'),
  /** Unix seconds. */
  created_at: v.number(),
})
export type Share = v.InferOutput<typeof shareSchema>
/** The answer to the one request that makes it: nothing keeps the link but who asked. */
export const newShareSchema = v.strictObject({ ...shareSchema.entries, url: v.string() })
export type NewShare = v.InferOutput<typeof newShareSchema>
export const shareListSchema = v.strictObject({ object: v.literal('list'), data: v.array(shareSchema) })
export const shareDeletedSchema = v.strictObject({
  id: v.string(),
  object: v.literal('conversation.share.deleted'),
  deleted: v.literal(true),
})

const { role, status, incomplete_details, content } = messageItemSchema.entries
const sharedMessageSchema = v.strictObject({ role, status, incomplete_details, content })
export type SharedMessage = v.InferOutput<typeof sharedMessageSchema>

/** `?offset`: how many messages have been read. */
export const sharedQuerySchema = v.strictObject({
  offset: v.optional(v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number)), '0'),
})
/** A hundred messages at a time: what was asked and answered, without instructions, names or ids. */
export const sharedConversationSchema = v.strictObject({
  object: v.literal('shared_conversation'),
  title: v.string(),
  /** When it was shared, in Unix seconds. */
  created_at: v.number(),
  data: v.array(sharedMessageSchema),
  has_more: v.boolean(),
})
export type SharedConversation = v.InferOutput<typeof sharedConversationSchema>

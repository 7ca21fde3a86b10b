/**
 * What the page reads of the API's answers.
 *
 * Looser than the schemas in `protocol/`: a page that stays open while the server is renewed goes on working when an
 * answer has gained a field, and the first load stays small.
 */
import * as v from 'valibot'

const errorDetailSchema = v.object({
  message: v.string(),
  type: v.string(),
  param: v.nullable(v.string()),
  code: v.nullable(v.string()),
})
const said = (message: string) => ({ message, type: '', param: null, code: null })
/** OpenAI's shape of an error, DeepL's and LibreTranslate's; the detail is what they have in common. */
export const errorAnswerSchema = v.union([
  v.pipe(
    v.object({ error: errorDetailSchema }),
    v.transform(({ error }) => error),
  ),
  v.pipe(
    v.object({ message: v.string() }),
    v.transform(({ message }) => said(message)),
  ),
  v.pipe(
    v.object({ error: v.string() }),
    v.transform(({ error }) => said(error)),
  ),
])

export const sessionSchema = v.object({ signed_in: v.boolean(), owner: v.nullable(v.string()) })
export const healthSchema = v.object({ status: v.picklist(['ok', 'starting']), detail: v.optional(v.string()) })

export const modelSchema = v.object({
  id: v.string(),
  task: v.literal('chat'),
  context_length: v.number(),
  device: v.string(),
})
export type Model = v.InferOutput<typeof modelSchema>
/** Of those of other tasks only what they are for is known here; the studio reads them whole. */
const otherModelSchema = v.object({ id: v.string(), task: v.string() })
export type AnyModel = Model | v.InferOutput<typeof otherModelSchema>
export const modelsSchema = v.object({ data: v.array(v.union([modelSchema, otherModelSchema])) })

export const conversationSchema = v.object({
  id: v.string(),
  created_at: v.number(),
  updated_at: v.optional(v.number()),
  metadata: v.record(v.string(), v.string()),
  active_response_id: v.optional(v.string()),
  branched_from: v.optional(v.object({ conversation_id: v.string() })),
  /** In what a search found: where. */
  match: v.optional(v.object({ item_id: v.string(), text: v.string() })),
})
export type Conversation = v.InferOutput<typeof conversationSchema>
export const conversationsSchema = v.object({
  data: v.array(conversationSchema),
  last_id: v.nullable(v.string()),
  has_more: v.boolean(),
})
export type ConversationPage = v.InferOutput<typeof conversationsSchema>

const incompleteDetailsSchema = v.nullish(v.object({ reason: v.string() }))

export const itemSchema = v.object({
  id: v.string(),
  type: v.optional(v.string(), 'message'),
  role: v.optional(v.string(), ''),
  status: v.optional(v.string()),
  incomplete_details: incompleteDetailsSchema,
  content: v.optional(v.array(v.object({ text: v.string() })), []),
  versions: v.optional(v.array(v.string())),
})
export type Item = v.InferOutput<typeof itemSchema>
export const itemsSchema = v.object({
  data: v.array(itemSchema),
  last_id: v.nullable(v.string()),
  has_more: v.boolean(),
})
export type ItemPage = v.InferOutput<typeof itemsSchema>

const timingsSchema = v.object({ generation_per_second: v.number(), prompt_per_second: v.number() })

export const responseSchema = v.object({
  id: v.string(),
  status: v.string(),
  output: v.array(v.object({ id: v.string(), type: v.string() })),
  error: v.nullish(v.object({ code: v.string(), message: v.string() })),
  incomplete_details: incompleteDetailsSchema,
  timings: v.nullish(timingsSchema),
})
export const responseEventSchema = v.object({
  type: v.string(),
  sequence_number: v.number(),
  delta: v.optional(v.string()),
  response: v.optional(responseSchema),
})

/** Whether it ends where it does because it may be no longer. */
export function isCutAtLimit({ incomplete_details }: Pick<Item, 'incomplete_details'>): boolean {
  return incomplete_details?.reason === 'max_output_tokens'
}

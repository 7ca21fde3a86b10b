/**
 * `/v1/files` and `/v1/uploads`: OpenAI's shapes, for the data that models are trained on and what comes of a training.
 *
 * https://platform.openai.com/docs/api-reference/files
 */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'
import { isOneOf, textSchema, UNSUPPORTED } from './text.ts'

/** What models are trained on, and what else a request may name. */
const uploadedPurposes = ['fine-tune', 'user_data'] as const
const filePurposes = [...uploadedPurposes, 'fine-tune-results'] as const
const SERVED_LATER = ['assistants', 'batch', 'vision', 'evals']
const uploadedPurpose = v.picklist(uploadedPurposes, (issue) =>
  isOneOf(issue.input, SERVED_LATER) ? UNSUPPORTED : 'purpose',
)
/** A name, not a path. */
export const fileNameSchema = v.pipe(
  textSchema,
  v.minLength(1),
  v.maxLength(255),
  v.regex(/^[^/\\\p{Cc}]+$/u, 'must be a name without slashes and control characters'),
)
const lifetimeSeconds = v.pipe(v.number(), v.integer(), v.minValue(3_600), v.maxValue(2_592_000))

/** The fields beside `file`, as a form has them. */
export const fileFieldsSchema = v.strictObject({
  purpose: uploadedPurpose,
  'expires_after[anchor]': v.optional(v.literal('created_at')),
  'expires_after[seconds]': v.optional(v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number), lifetimeSeconds)),
})
/** The form as the API's description has it: `file` is streamed, and never whole in memory. */
export const fileFormSchema = v.strictObject({ file: v.instance(Uint8Array), ...fileFieldsSchema.entries })

/** All times are Unix seconds. */
export const fileSchema = v.strictObject({
  id: v.string(),
  object: v.literal('file'),
  bytes: v.number(),
  created_at: v.number(),
  expires_at: v.optional(v.number()),
  filename: v.string(),
  purpose: v.picklist(filePurposes),
  status: v.literal('processed'),
})
export type FileObject = v.InferOutput<typeof fileSchema>

const limit = v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number), v.integer(), v.minValue(1))
export const fileQuerySchema = v.strictObject({
  limit: v.optional(v.pipe(limit, v.maxValue(10_000)), '10000'),
  after: v.optional(v.pipe(v.string(), v.maxLength(100))),
  order: v.optional(v.picklist(['asc', 'desc']), 'desc'),
  purpose: v.optional(v.picklist(filePurposes)),
})
export type FileQuery = v.InferOutput<typeof fileQuerySchema>
export const fileListSchema = v.strictObject({
  object: v.literal('list'),
  data: v.array(fileSchema),
  first_id: v.nullable(v.string()),
  last_id: v.nullable(v.string()),
  has_more: v.boolean(),
})
export const fileDeletedSchema = v.strictObject({
  id: v.string(),
  object: v.literal('file'),
  deleted: v.literal(true),
})

export const uploadCreateSchema = v.strictObject({
  bytes: v.pipe(v.number(), v.integer(), v.minValue(1)),
  filename: fileNameSchema,
  mime_type: v.pipe(textSchema, v.minLength(1), v.maxLength(100)),
  purpose: v.literal('fine-tune'),
  expires_after: v.optional(v.strictObject({ anchor: v.literal('created_at'), seconds: lifetimeSeconds })),
})
/** The form of one part, as the API's description has it. */
export const partFormSchema = v.strictObject({ data: v.instance(Uint8Array) })
export const uploadPartSchema = v.strictObject({
  id: v.string(),
  object: v.literal('upload.part'),
  created_at: v.number(),
  upload_id: v.string(),
})
export const uploadCompleteSchema = v.strictObject({
  /** In the order of the file. */
  part_ids: v.pipe(v.array(v.pipe(v.string(), v.maxLength(100))), v.minLength(1), v.maxLength(LIMITS.uploadParts)),
  /** Of the whole file, in hexadecimal; ours is the second. */
  md5: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-fA-F]{32}$/, 'must be 32 hexadecimal digits'))),
  sha256: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits'))),
})
export const uploadSchema = v.strictObject({
  id: v.string(),
  object: v.literal('upload'),
  bytes: v.number(),
  created_at: v.number(),
  /** Until when parts can be added. */
  expires_at: v.number(),
  filename: v.string(),
  purpose: v.literal('fine-tune'),
  status: v.picklist(['pending', 'completed', 'cancelled', 'expired']),
  file: v.nullable(fileSchema),
})
export type Upload = v.InferOutput<typeof uploadSchema>

/** `/v1/keys` and `/v1/usage`: who may ask, how much, and what they have used. */
import * as v from 'valibot'
import { EVERY_SCOPE, SCOPES } from './scopes.ts'
import { textSchema } from './text.ts'

const limit = v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1e12)))
export const keyLimitsSchema = v.strictObject({
  requests_per_minute: limit,
  /** Of prompts and answers. */
  tokens_per_minute: limit,
  /** Requests at once. */
  concurrency: limit,
  /** Of prompts and answers, in a calendar month (UTC). */
  tokens_per_month: limit,
})
export type KeyLimits = v.InferOutput<typeof keyLimitsSchema>

const name = v.pipe(textSchema, v.minLength(1), v.maxLength(100))
const scopes = v.pipe(v.array(v.picklist([...SCOPES, EVERY_SCOPE])), v.minLength(1), v.maxLength(SCOPES.length + 1))
/** Unix seconds. */
const expiresAt = v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 40)))
export const keyCreateSchema = v.strictObject({
  name,
  scopes,
  /** Whose things it sees; somebody new by default. */
  owner: v.optional(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 of a-z, A-Z, 0-9, _ and -'))),
  expires_at: expiresAt,
  limits: v.optional(keyLimitsSchema, {}),
})
export const keyUpdateSchema = v.strictObject({
  name: v.optional(name),
  scopes: v.optional(scopes),
  expires_at: expiresAt,
  limits: v.optional(keyLimitsSchema),
})

export const keySchema = v.strictObject({
  id: v.string(),
  object: v.literal('api_key'),
  name: v.string(),
  owner: v.string(),
  scopes: v.array(v.string()),
  limits: keyLimitsSchema,
  /** Unix seconds, as all times here. */
  created_at: v.number(),
  expires_at: v.nullable(v.number()),
  revoked_at: v.nullable(v.number()),
})
export type ApiKey = v.InferOutput<typeof keySchema>
/** The answer to the one request that makes it: nothing keeps the key but who asked. */
export const newKeySchema = v.strictObject({ ...keySchema.entries, key: v.string() })
export const keyListSchema = v.strictObject({
  object: v.literal('list'),
  data: v.array(keySchema),
  first_id: v.nullable(v.string()),
  last_id: v.nullable(v.string()),
  has_more: v.boolean(),
})
export const keyDeletedSchema = v.strictObject({
  id: v.string(),
  object: v.literal('api_key.deleted'),
  deleted: v.literal(true),
})

const seconds = v.pipe(v.string(), v.regex(/^\d{1,12}$/), v.transform(Number))
/** As OpenAI's usage of completions. Without the scope `admin` one sees one's own. */
export const usageQuerySchema = v.strictObject({
  start_time: seconds,
  end_time: v.optional(seconds),
  bucket_width: v.optional(v.picklist(['1h', '1d']), '1d'),
  /** Any of `key`, `model` and `route`. */
  group_by: v.optional(
    v.pipe(
      v.string(),
      v.regex(
        /^(key|model|route)(,(key|model|route)){0,2}$/,
        "must be 'key', 'model' and 'route', or some of them, parted by commas",
      ),
    ),
  ),
})
export const usageSchema = v.strictObject({
  object: v.literal('page'),
  data: v.array(
    v.strictObject({
      object: v.literal('bucket'),
      start_time: v.number(),
      end_time: v.number(),
      results: v.array(
        v.strictObject({
          object: v.literal('organization.usage.completions.result'),
          input_tokens: v.number(),
          output_tokens: v.number(),
          input_cached_tokens: v.number(),
          num_model_requests: v.number(),
          model: v.nullable(v.string()),
          api_key_id: v.nullable(v.string()),
          /** Ours: `/v1/chat/completions`. */
          route: v.nullable(v.string()),
        }),
      ),
    }),
  ),
  has_more: v.literal(false),
  next_page: v.null(),
})
export type UsagePage = v.InferOutput<typeof usageSchema>

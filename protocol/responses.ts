/**
 * `/v1/responses`: OpenAI's request, response and items, for text and functions.
 *
 * https://platform.openai.com/docs/api-reference/responses. A field is honoured, inert or refused, as in `chat.ts`;
 * `docs/compatibility.md` lists them all.
 */
import * as v from 'valibot'
import { chatTimingsSchema } from './chat.ts'
import { pageQuerySchema } from './conversations.ts'
import { LIMITS } from './limits.ts'
import { metadataSchema } from './metadata.ts'
import { samplingFields, tokenLimitSchema } from './sampling.ts'
import { isOneOf, textSchema, UNSUPPORTED } from './text.ts'
import { functionNameSchema, jsonSchemaSchema } from './tools.ts'

const idSchema = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 of a-z, A-Z, 0-9, _ and -'))
const nothingIn = v.optional(v.pipe(v.array(v.unknown()), v.maxLength(0, UNSUPPORTED)))

const SERVED_LATER_PARTS = ['input_image', 'input_file', 'input_audio', 'refusal', 'reasoning_text']
const partSchema = v.variant(
  'type',
  [
    v.strictObject({ type: v.literal('input_text'), text: textSchema }),
    v.strictObject({ type: v.literal('output_text'), text: textSchema, annotations: nothingIn, logprobs: nothingIn }),
  ],
  (issue) => (isOneOf(issue.input, SERVED_LATER_PARTS) ? UNSUPPORTED : 'type'),
)
const itemStatus = v.nullish(v.picklist(['in_progress', 'completed', 'incomplete']))

/** OpenAI's EasyInputMessage, or a message as an answer gives it. */
const messageInputSchema = v.strictObject({
  type: v.optional(v.literal('message', UNSUPPORTED)),
  id: v.optional(idSchema),
  role: v.picklist(['user', 'assistant', 'system', 'developer']),
  content: v.union([textSchema, v.pipe(v.array(partSchema), v.minLength(1))]),
  status: itemStatus,
  phase: v.nullish(v.picklist(['commentary', 'final_answer'])),
})
const callInputSchema = v.strictObject({
  type: v.literal('function_call'),
  id: v.optional(idSchema),
  call_id: idSchema,
  name: functionNameSchema,
  arguments: textSchema,
  status: itemStatus,
})
const callOutputInputSchema = v.strictObject({
  type: v.literal('function_call_output'),
  id: v.nullish(idSchema),
  call_id: idSchema,
  output: v.union([textSchema, v.array(v.strictObject({ type: v.literal('input_text'), text: textSchema }))]),
  status: itemStatus,
})
export const inputItemSchema = v.union([messageInputSchema, callInputSchema, callOutputInputSchema])
export type InputItem = v.InferOutput<typeof inputItemSchema>

const toolSchema = v.variant(
  'type',
  [
    v.strictObject({
      type: v.literal('function'),
      name: functionNameSchema,
      description: v.nullish(textSchema),
      parameters: v.nullish(jsonSchemaSchema),
      strict: v.nullish(v.boolean()),
    }),
  ],
  UNSUPPORTED,
)
const formatSchema = v.variant('type', [
  v.strictObject({ type: v.literal('text') }),
  v.strictObject({ type: v.literal('json_object') }),
  v.strictObject({
    type: v.literal('json_schema'),
    name: functionNameSchema,
    description: v.optional(textSchema),
    schema: jsonSchemaSchema,
    strict: v.nullish(v.boolean()),
  }),
])

const { n: _n, stream_options: _options, ...sampling } = samplingFields

const honoured = {
  ...sampling,
  model: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  input: v.optional(v.union([textSchema, v.pipe(v.array(inputItemSchema), v.maxLength(LIMITS.messages))]), []),
  instructions: v.nullish(textSchema),
  previous_response_id: v.nullish(idSchema),
  /** Ours is `previous_item_id`: the item that is answered, or `root`; by default the conversation's last. */
  conversation: v.nullish(
    v.union([idSchema, v.strictObject({ id: idSchema, previous_item_id: v.optional(idSchema) })]),
  ),
  store: v.nullish(v.boolean(), true),
  background: v.nullish(v.boolean(), false),
  truncation: v.nullish(v.picklist(['auto', 'disabled']), 'disabled'),
  max_output_tokens: tokenLimitSchema,
  metadata: v.nullish(metadataSchema, {}),
  tools: v.nullish(v.pipe(v.array(toolSchema), v.maxLength(LIMITS.tools)), []),
  tool_choice: v.optional(
    v.union([
      v.picklist(['none', 'auto', 'required']),
      v.strictObject({ type: v.literal('function'), name: functionNameSchema }),
    ]),
    'auto',
  ),
  parallel_tool_calls: v.nullish(v.boolean(), true),
  text: v.optional(
    v.strictObject({
      format: v.optional(formatSchema, { type: 'text' }),
      verbosity: v.nullish(v.literal('medium', UNSUPPORTED)),
    }),
    {},
  ),
  top_logprobs: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(20))),
  include: v.nullish(
    v.array(v.picklist(['message.output_text.logprobs', 'reasoning.encrypted_content'], UNSUPPORTED)),
    [],
  ),
  /** `flex` is answered when nothing else waits. */
  service_tier: v.nullish(v.picklist(['auto', 'default', 'flex'], UNSUPPORTED)),
}
const inert = {
  user: v.optional(v.string()),
  safety_identifier: v.nullish(v.string()),
  prompt_cache_key: v.nullish(v.string()),
  prompt_cache_retention: v.nullish(v.picklist(['in_memory', '24h'])),
  stream_options: v.nullish(v.strictObject({ include_obfuscation: v.optional(v.literal(false, UNSUPPORTED)) })),
}
/** Refused, but for the values that ask for nothing. */
const refused = {
  prompt: v.optional(v.null(UNSUPPORTED)),
  reasoning: v.nullish(
    v.strictObject({
      effort: v.nullish(v.literal('none', UNSUPPORTED)),
      summary: v.optional(v.null(UNSUPPORTED)),
      generate_summary: v.optional(v.null(UNSUPPORTED)),
    }),
  ),
  max_tool_calls: v.optional(v.null(UNSUPPORTED)),
  moderation: v.optional(v.null(UNSUPPORTED)),
  context_management: v.nullish(v.pipe(v.array(v.unknown()), v.maxLength(0, UNSUPPORTED))),
  prompt_cache_options: v.optional(v.null(UNSUPPORTED)),
  access_programs: v.optional(v.null(UNSUPPORTED)),
  image: v.optional(v.null(UNSUPPORTED)),
}
/** How each parameter of the request is treated; `docs/compatibility.md` is checked against it. */
export const RESPONSE_PARAMETERS = {
  honoured: Object.keys(honoured),
  inert: Object.keys(inert),
  refused: Object.keys(refused),
} as const
export const responseRequestSchema = v.strictObject({ ...honoured, ...inert, ...refused })
export type ResponseRequest = v.InferOutput<typeof responseRequestSchema>

/** What is kept is given in any case: `include`, which clients send in either spelling, only says what may be asked for. */
const includeSchema = v.optional(honoured.include.wrapped.item)
const includeEntries = { include: includeSchema, 'include[]': includeSchema }
/** `GET /v1/responses/{id}/input_items` */
export const inputItemsQuerySchema = v.strictObject({ ...pageQuerySchema.entries, ...includeEntries })
/** `GET /v1/responses/{id}`: with `stream`, its events after `starting_after`. */
export const responseQuerySchema = v.strictObject({
  ...includeEntries,
  stream: v.optional(v.picklist(['true', 'false']), 'false'),
  starting_after: v.optional(v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number))),
  include_obfuscation: v.optional(v.literal('false', UNSUPPORTED)),
})

const logprobSchema = v.strictObject({ token: v.string(), logprob: v.number(), bytes: v.array(v.number()) })
const logprobsSchema = v.array(v.strictObject({ ...logprobSchema.entries, top_logprobs: v.array(logprobSchema) }))
export const outputTextSchema = v.strictObject({
  type: v.literal('output_text'),
  text: v.string(),
  annotations: v.array(v.never()),
  logprobs: logprobsSchema,
})
const outputStatus = v.picklist(['in_progress', 'completed', 'incomplete'])
const messageSchema = v.strictObject({
  id: v.string(),
  type: v.literal('message'),
  role: v.picklist(['user', 'assistant', 'system', 'developer']),
  status: outputStatus,
  content: v.array(
    v.variant('type', [v.strictObject({ type: v.literal('input_text'), text: v.string() }), outputTextSchema]),
  ),
})
const callSchema = v.strictObject({
  id: v.string(),
  type: v.literal('function_call'),
  call_id: v.string(),
  name: v.string(),
  arguments: v.string(),
  status: outputStatus,
})
const callOutputSchema = v.strictObject({
  id: v.string(),
  type: v.literal('function_call_output'),
  call_id: v.string(),
  output: v.string(),
  status: outputStatus,
})
/** What an answer consists of. */
const outputMessageSchema = v.strictObject({
  ...messageSchema.entries,
  role: v.literal('assistant'),
  content: v.array(outputTextSchema),
})
/** An item as it is kept and given: every one has an id. */
export const itemSchema = v.variant('type', [messageSchema, callSchema, callOutputSchema])
export type Item = v.InferOutput<typeof itemSchema>
export type MessageItem = v.InferOutput<typeof outputMessageSchema>
export type CallItem = v.InferOutput<typeof callSchema>

export const responseSchema = v.strictObject({
  id: v.string(),
  object: v.literal('response'),
  /** Unix seconds. */
  created_at: v.number(),
  completed_at: v.nullable(v.number()),
  status: v.picklist(['queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled']),
  background: v.boolean(),
  error: v.nullable(v.strictObject({ code: v.picklist(['server_error', 'rate_limit_exceeded']), message: v.string() })),
  incomplete_details: v.nullable(v.strictObject({ reason: v.literal('max_output_tokens') })),
  instructions: v.nullable(v.string()),
  max_output_tokens: v.nullable(v.number()),
  max_tool_calls: v.null(),
  model: v.string(),
  output: v.array(v.variant('type', [outputMessageSchema, callSchema])),
  parallel_tool_calls: v.boolean(),
  previous_response_id: v.nullable(v.string()),
  conversation: v.nullable(v.strictObject({ id: v.string() })),
  reasoning: v.strictObject({ effort: v.null(), summary: v.null() }),
  service_tier: v.picklist(['default', 'flex']),
  store: v.boolean(),
  temperature: v.number(),
  text: v.strictObject({ format: formatSchema, verbosity: v.literal('medium') }),
  tool_choice: honoured.tool_choice.wrapped,
  tools: v.array(
    v.strictObject({
      type: v.literal('function'),
      name: v.string(),
      description: v.nullable(v.string()),
      parameters: v.nullable(v.record(v.string(), v.unknown())),
      strict: v.boolean(),
    }),
  ),
  top_logprobs: v.number(),
  top_p: v.number(),
  truncation: v.picklist(['auto', 'disabled']),
  usage: v.nullable(
    v.strictObject({
      input_tokens: v.number(),
      input_tokens_details: v.strictObject({ cached_tokens: v.number(), cache_write_tokens: v.number() }),
      output_tokens: v.number(),
      output_tokens_details: v.strictObject({ reasoning_tokens: v.number() }),
      total_tokens: v.number(),
    }),
  ),
  user: v.nullable(v.string()),
  safety_identifier: v.nullable(v.string()),
  prompt_cache_key: v.nullable(v.string()),
  access_programs: v.null(),
  metadata: v.record(v.string(), v.string()),
  /** Ours: as in a chat completion. */
  system_fingerprint: v.nullable(v.string()),
  /** Ours: the seed it was sampled with; the same request with it has the same answer. */
  seed: v.number(),
  /** Ours: milliseconds, and tokens a second. */
  timings: v.nullable(chatTimingsSchema),
})
export type Response = v.InferOutput<typeof responseSchema>

export const responseDeletedSchema = v.strictObject({
  id: v.string(),
  object: v.literal('response'),
  deleted: v.literal(true),
})
export const itemListSchema = v.strictObject({
  object: v.literal('list'),
  data: v.array(itemSchema),
  first_id: v.nullable(v.string()),
  last_id: v.nullable(v.string()),
  has_more: v.boolean(),
})

type OutputText = v.InferOutput<typeof outputTextSchema>
interface OfPart {
  readonly item_id: string
  readonly output_index: number
  readonly content_index: number
}
interface OfItem {
  readonly item_id: string
  readonly output_index: number
}
/** What a stream tells, before it is numbered. */
export type ResponseEvent =
  | {
      readonly type: `response.${'created' | 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed'}`
      readonly response: Response
    }
  | {
      readonly type: `response.output_item.${'added' | 'done'}`
      readonly output_index: number
      readonly item: Response['output'][number]
    }
  | ({ readonly type: `response.content_part.${'added' | 'done'}`; readonly part: OutputText } & OfPart)
  | ({
      readonly type: 'response.output_text.delta'
      readonly delta: string
      readonly logprobs: OutputText['logprobs']
    } & OfPart)
  | ({
      readonly type: 'response.output_text.done'
      readonly text: string
      readonly logprobs: OutputText['logprobs']
    } & OfPart)
  | ({ readonly type: 'response.function_call_arguments.delta'; readonly delta: string } & OfItem)
  | ({
      readonly type: 'response.function_call_arguments.done'
      readonly name: string
      readonly arguments: string
    } & OfItem)

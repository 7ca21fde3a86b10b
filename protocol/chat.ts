/**
 * `POST /v1/chat/completions`: OpenAI's request, with what is not served refused by name.
 *
 * https://platform.openai.com/docs/api-reference/chat/create. A field is honoured, inert (it changes nothing here and
 * nothing there) or refused; where a refused field has a value that asks for nothing, that value passes.
 * `docs/compatibility.md` lists them all.
 */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'
import { metadataSchema } from './metadata.ts'
import { samplingFields, tokenLimitSchema } from './sampling.ts'
import { isOneOf, textSchema, UNSUPPORTED } from './text.ts'
import { responseFormatSchema, toolCallSchema, toolChoiceSchema, toolsSchema } from './tools.ts'

const SERVED_LATER_ROLES = ['function']
const SERVED_LATER_PARTS = ['image_url', 'input_audio', 'file', 'refusal']

const textPartSchema = v.strictObject({ type: v.literal('text'), text: textSchema })
const contentPartSchema = v.variant('type', [textPartSchema], (issue) =>
  isOneOf(issue.input, SERVED_LATER_PARTS) ? UNSUPPORTED : 'type',
)
const contentSchema = v.union([textSchema, v.pipe(v.array(contentPartSchema), v.minLength(1))])

const promptMessageSchema = v.strictObject({
  role: v.picklist(['system', 'developer', 'user']),
  content: contentSchema,
  name: v.optional(v.string()),
})
/** Takes an answer's `message` back as it was given. */
const assistantMessageSchema = v.strictObject({
  role: v.literal('assistant'),
  /** Null or left out beside tool calls. */
  content: v.nullish(contentSchema),
  name: v.optional(v.string()),
  refusal: v.optional(v.null(UNSUPPORTED)),
  annotations: v.optional(v.pipe(v.array(v.unknown()), v.maxLength(0, UNSUPPORTED))),
  audio: v.optional(v.null(UNSUPPORTED)),
  tool_calls: v.nullish(v.pipe(v.array(toolCallSchema), v.maxLength(LIMITS.tools))),
  function_call: v.optional(v.null(UNSUPPORTED)),
})
/** What a call gave. */
const toolMessageSchema = v.strictObject({
  role: v.literal('tool'),
  content: contentSchema,
  tool_call_id: v.string(),
  name: v.optional(v.string()),
})
const messageSchemas = [promptMessageSchema, assistantMessageSchema, toolMessageSchema] as const
export const chatMessageSchema = v.variant('role', messageSchemas, (issue) =>
  isOneOf(issue.input, SERVED_LATER_ROLES) ? UNSUPPORTED : 'role',
)
export type ChatMessage = v.InferOutput<typeof chatMessageSchema>

const honoured = {
  model: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  messages: v.pipe(v.array(chatMessageSchema), v.minLength(1), v.maxLength(LIMITS.messages)),
  ...samplingFields,
  logprobs: v.nullish(v.boolean(), false),
  tools: v.optional(toolsSchema, []),
  /** By default `auto`, if there are tools. */
  tool_choice: v.optional(toolChoiceSchema),
  parallel_tool_calls: v.optional(v.boolean(), true),
  response_format: v.optional(responseFormatSchema, { type: 'text' }),
  top_logprobs: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(20))),
  /** `flex` is answered when nothing else waits. */
  service_tier: v.nullish(v.picklist(['auto', 'default', 'flex'], UNSUPPORTED)),
  max_completion_tokens: tokenLimitSchema,
  max_tokens: tokenLimitSchema,
}

const inert = {
  user: v.optional(v.string()),
  metadata: v.nullish(metadataSchema),
  store: v.nullish(v.boolean()),
  safety_identifier: v.nullish(v.string()),
  prompt_cache_key: v.nullish(v.string()),
  prompt_cache_retention: v.nullish(v.picklist(['in_memory', '24h'])),
}

/** Refused, but for the values that ask for nothing. */
const refused = {
  functions: v.optional(v.pipe(v.array(v.unknown()), v.maxLength(0, UNSUPPORTED))),
  function_call: v.optional(v.picklist(['none', 'auto'], UNSUPPORTED)),
  modalities: v.nullish(v.array(v.literal('text', UNSUPPORTED))),
  audio: v.optional(v.null(UNSUPPORTED)),
  prediction: v.optional(v.null(UNSUPPORTED)),
  moderation: v.optional(v.null(UNSUPPORTED)),
  prompt_cache_options: v.optional(v.null(UNSUPPORTED)),
  reasoning_effort: v.nullish(v.literal('none', UNSUPPORTED)),
  verbosity: v.nullish(v.literal('medium', UNSUPPORTED)),
  web_search_options: v.optional(v.null(UNSUPPORTED)),
}

/** How each parameter of the request is treated; `docs/compatibility.md` is checked against it. */
export const CHAT_PARAMETERS = {
  honoured: Object.keys(honoured),
  inert: Object.keys(inert),
  refused: Object.keys(refused),
} as const

export const chatRequestSchema = v.strictObject({ ...honoured, ...inert, ...refused })
export type ChatRequest = v.InferOutput<typeof chatRequestSchema>

export const finishReasonSchema = v.picklist(['stop', 'length'])
const chatFinishReasonSchema = v.picklist(['stop', 'length', 'tool_calls'])

export const chatUsageSchema = v.strictObject({
  prompt_tokens: v.number(),
  completion_tokens: v.number(),
  total_tokens: v.number(),
  prompt_tokens_details: v.strictObject({ cached_tokens: v.number(), audio_tokens: v.number() }),
  completion_tokens_details: v.strictObject({
    reasoning_tokens: v.number(),
    audio_tokens: v.number(),
    accepted_prediction_tokens: v.number(),
    rejected_prediction_tokens: v.number(),
  }),
})
export type ChatUsage = v.InferOutput<typeof chatUsageSchema>

/** Ours, at the top level of an answer: milliseconds, and tokens a second. */
export const chatTimingsSchema = v.strictObject({
  queue_ms: v.number(),
  /** From the runner's taking it to its first token: waiting, and the prompt. */
  first_token_ms: v.number(),
  prompt_ms: v.number(),
  prompt_per_second: v.number(),
  generation_ms: v.number(),
  generation_per_second: v.number(),
})
export type ChatTimings = v.InferOutput<typeof chatTimingsSchema>

const head = {
  id: v.string(),
  /** Unix seconds. */
  created: v.number(),
  model: v.string(),
  system_fingerprint: v.string(),
}

const logprobSchema = v.strictObject({
  token: v.string(),
  logprob: v.number(),
  /** Null for a control token. */
  bytes: v.nullable(v.array(v.number())),
})
export const chatLogprobsSchema = v.strictObject({
  content: v.array(v.strictObject({ ...logprobSchema.entries, top_logprobs: v.array(logprobSchema) })),
  refusal: v.null(),
})
export type ChatLogprobs = v.InferOutput<typeof chatLogprobsSchema>

const serviceTierSchema = v.picklist(['default', 'flex'])

export const chatCompletionSchema = v.strictObject({
  ...head,
  object: v.literal('chat.completion'),
  choices: v.array(
    v.strictObject({
      index: v.number(),
      message: v.strictObject({
        role: v.literal('assistant'),
        /** Null if there are tool calls alone. */
        content: v.nullable(v.string()),
        refusal: v.null(),
        annotations: v.array(v.never()),
        tool_calls: v.optional(v.array(toolCallSchema)),
      }),
      logprobs: v.nullable(chatLogprobsSchema),
      finish_reason: chatFinishReasonSchema,
    }),
  ),
  usage: chatUsageSchema,
  timings: chatTimingsSchema,
  service_tier: serviceTierSchema,
})
export type ChatCompletion = v.InferOutput<typeof chatCompletionSchema>

export const chatCompletionChunkSchema = v.strictObject({
  ...head,
  object: v.literal('chat.completion.chunk'),
  choices: v.array(
    v.strictObject({
      index: v.number(),
      delta: v.strictObject({
        role: v.optional(v.literal('assistant')),
        content: v.optional(v.string()),
        refusal: v.optional(v.null()),
        tool_calls: v.optional(
          v.array(
            v.strictObject({
              index: v.number(),
              /** On a call's first chunk, as are type and name. */
              id: v.optional(v.string()),
              type: v.optional(v.literal('function')),
              function: v.strictObject({ name: v.optional(v.string()), arguments: v.string() }),
            }),
          ),
        ),
      }),
      logprobs: v.nullable(chatLogprobsSchema),
      finish_reason: v.nullable(chatFinishReasonSchema),
    }),
  ),
  /** With `stream_options.include_usage`: null, but on the last chunk. */
  usage: v.optional(v.nullable(chatUsageSchema)),
  /** On the chunk that bears the finish reason, and on the one that bears the usage. */
  timings: v.optional(chatTimingsSchema),
  service_tier: serviceTierSchema,
})
export type ChatCompletionChunk = v.InferOutput<typeof chatCompletionChunkSchema>

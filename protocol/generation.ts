/**
 * What the edge asks of a runner, and what a runner streams back.
 *
 * `POST /generations` on the runner takes a `GenerationRequest` and answers with server-sent events, each a
 * `GenerationEvent` as JSON in `data:`. The first is `generation-start`, sent when the request's turn has come, so that
 * the head of an answer travels while its prompt is computed; the last, and only the last, is `generation-finish` or
 * `generation-error`. What can be refused beforehand is refused with a status and an error body instead.
 */
import * as v from 'valibot'
import { billSchema } from './bill.ts'
import { errorDetailSchema } from './error.ts'

const toolCallSchema = v.strictObject({
  id: v.string(),
  name: v.string(),
  /** JSON. */
  arguments: v.string(),
})
export const chatTurnSchema = v.variant('role', [
  v.strictObject({ role: v.picklist(['system', 'user']), content: v.string() }),
  v.strictObject({ role: v.literal('assistant'), content: v.string(), toolCalls: v.optional(v.array(toolCallSchema)) }),
  /** What the call of that id gave. */
  v.strictObject({ role: v.literal('tool'), content: v.string(), toolCallId: v.string() }),
])
export type ChatTurn = v.InferOutput<typeof chatTurnSchema>

const jsonSchemaSchema = v.record(v.string(), v.unknown())
export const toolSchema = v.strictObject({
  name: v.string(),
  description: v.optional(v.string()),
  /** JSON Schema of its arguments, an object. */
  parameters: jsonSchemaSchema,
  strict: v.boolean(),
})
export type Tool = v.InferOutput<typeof toolSchema>

/** What the text of an answer is held to. */
export const constraintSchema = v.variant('type', [
  v.strictObject({ type: v.literal('json_object') }),
  v.strictObject({ type: v.literal('json_schema'), schema: jsonSchemaSchema, strict: v.boolean() }),
  v.strictObject({ type: v.literal('regex'), pattern: v.string() }),
  v.strictObject({
    type: v.literal('tools'),
    /** Those that may be called. */
    tools: v.pipe(v.array(toolSchema), v.minLength(1)),
    /** The answer may be text instead. */
    optional: v.boolean(),
    /** There may be several calls. */
    parallel: v.boolean(),
  }),
])
export type GenerationConstraint = v.InferOutput<typeof constraintSchema>

/** What an answer follows: a conversation, rendered by the model's template, or bare text or tokens. */
export const promptSchema = v.variant('type', [
  v.strictObject({
    type: v.literal('chat'),
    messages: v.pipe(v.array(chatTurnSchema), v.minLength(1)),
    /** Those that the model is told of. */ tools: v.optional(v.array(toolSchema)),
  }),
  v.strictObject({ type: v.literal('text'), text: v.string() }),
  v.strictObject({
    type: v.literal('tokens'),
    tokens: v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0))), v.minLength(1)),
  }),
])
export type Prompt = v.InferOutput<typeof promptSchema>

export const generationRequestSchema = v.strictObject({
  model: v.string(),
  /** Whose request this is; the queue is fair between tenants. */
  tenant: v.string(),
  prompt: promptSchema,
  /** Null: as many as the context holds. */
  maxTokens: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1))),
  /** 0 is greedy. */
  temperature: v.pipe(v.number(), v.minValue(0), v.maxValue(2)),
  topP: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  /** 0: no limit. */
  topK: v.pipe(v.number(), v.integer(), v.minValue(0)),
  minP: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  typicalP: v.pipe(v.number(), v.gtValue(0), v.maxValue(1)),
  repetitionPenalty: v.pipe(v.number(), v.gtValue(0)),
  presencePenalty: v.number(),
  frequencyPenalty: v.number(),
  /** By token. */
  logitBias: v.array(v.tuple([v.pipe(v.number(), v.integer(), v.minValue(0)), v.number()])),
  /** End tokens do not end an answer that is shorter. */
  minTokens: v.pipe(v.number(), v.integer(), v.minValue(0)),
  ignoreEos: v.boolean(),
  /** Alternatives to report for each token; null: not even its own probability. */
  logprobs: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0))),
  /** Answered when nothing else waits. */
  background: v.boolean(),
  /** Null: a random one. */
  seed: v.nullable(v.pipe(v.number(), v.safeInteger())),
  /** The answer ends before the first of these. */
  stop: v.array(v.pipe(v.string(), v.minLength(1))),
  constraint: v.nullable(constraintSchema),
  /** If the answer may have to be taken up again: its events bear their tokens. Begins empty. */
  resume: v.optional(
    v.strictObject({
      /** The answer's tokens so far: it has them again, whatever would be sampled. */
      tokens: v.array(v.pipe(v.number(), v.integer(), v.minValue(0))),
      /** Events after `generation-start` that were heard, and are not said again. */
      events: v.pipe(v.number(), v.integer(), v.minValue(0)),
    }),
  ),
  /** Without one, whoever asks sees to it by itself that what is used is written down. */
  bill: v.optional(billSchema),
})
export type GenerationRequest = v.InferOutput<typeof generationRequestSchema>

/** `POST /tokens` of a runner: text to tokens, or tokens to bytes. */
export const tokensRequestSchema = v.strictObject({
  model: v.string(),
  input: v.variant('type', [
    ...promptSchema.options,
    v.strictObject({ type: v.literal('decode'), tokens: v.array(v.pipe(v.number(), v.integer(), v.minValue(0))) }),
  ]),
})
export type TokensRequest = v.InferOutput<typeof tokensRequestSchema>
export const tokensReplySchema = v.object({
  tokens: v.array(v.number()),
  /** Of the tokens together. */
  text: v.string(),
  contextLength: v.number(),
})
export type TokensReply = v.InferOutput<typeof tokensReplySchema>

/** In the metadata of a model whose tokenizer comes as such a file: its contents. */
export const TOKENIZER_FILE = 'tokenizer.json'

/** `POST /tokenizers` of a runner: what a model's tokenizer and chat template are made of. */
export const tokenizerRequestSchema = v.strictObject({ model: v.string() })
const scalar = v.union([v.string(), v.number(), v.boolean()])
export const tokenizerReplySchema = v.object({
  contextLength: v.number(),
  /** The checkpoint's metadata, as far as it is about the tokenizer; or a file, by its name. */
  metadata: v.record(v.string(), v.union([scalar, v.array(v.string()), v.array(v.number())])),
})
export type TokenizerReply = v.InferOutput<typeof tokenizerReplySchema>

export const usageSchema = v.object({
  promptTokens: v.number(),
  completionTokens: v.number(),
  /** Of the prompt, those that were not computed again. */
  cachedTokens: v.number(),
})
export type Usage = v.InferOutput<typeof usageSchema>

/** Milliseconds, and tokens a second. */
export const timingsSchema = v.object({
  queueMs: v.number(),
  promptMs: v.number(),
  promptPerSecond: v.number(),
  generationMs: v.number(),
  generationPerSecond: v.number(),
})
export type Timings = v.InferOutput<typeof timingsSchema>

/** Tokens that were chosen since the event before; it may be left out of one token, unless the answer may be taken up again. */
const ids = v.optional(v.array(v.number()))
const logprobSchema = v.object({
  bytes: v.array(v.number()),
  /** Of a control token, which has no bytes. */
  name: v.optional(v.string()),
  logprob: v.number(),
})
export const tokenLogprobSchema = v.object({ ...logprobSchema.entries, top: v.array(logprobSchema) })
/** A token of an answer: its bytes, which may be a part of a character, and the natural logarithm of its probability. */
export type TokenLogprob = v.InferOutput<typeof tokenLogprobSchema>

export const generationEventSchema = v.variant('type', [
  v.object({
    type: v.literal('generation-start'),
    model: v.string(),
    /** Hash of the model and the execution provider: OpenAI's `system_fingerprint`. */
    fingerprint: v.string(),
    promptTokens: v.number(),
  }),
  v.object({ type: v.literal('text-delta'), text: v.string(), tokens: v.optional(v.array(tokenLogprobSchema)), ids }),
  /** A call begins; calls are numbered from 0. */
  v.object({ type: v.literal('tool-call-start'), index: v.number(), name: v.string(), ids }),
  /** The next of a call's arguments, a piece of JSON. */
  v.object({ type: v.literal('tool-call-delta'), index: v.number(), arguments: v.string(), ids }),
  v.object({
    type: v.literal('generation-finish'),
    /** `tool-calls`: it has calls, and is whole. */
    finishReason: v.picklist(['stop', 'length', 'tool-calls']),
    usage: usageSchema,
    timings: timingsSchema,
  }),
  v.object({ type: v.literal('generation-error'), error: errorDetailSchema }),
])
export type GenerationEvent = v.InferOutput<typeof generationEventSchema>

/** `GET /models` on the runner. */
export const runnerModelSchema = v.object({
  id: v.string(),
  /** Unix seconds. */
  created: v.number(),
  ownedBy: v.string(),
  task: v.picklist(['chat', 'embedding', 'translation']),
  /** Tokens that prompt and answer may have together, or a text to embed. */
  contextLength: v.number(),
  fingerprint: v.string(),
  /** The execution provider: `cpu`, `cuda`. */
  device: v.string(),
  /** Of a model that translates: from which language and into which, as BCP 47 has them. */
  source_language: v.optional(v.string()),
  target_language: v.optional(v.string()),
})
export type RunnerModel = v.InferOutput<typeof runnerModelSchema>
export const runnerModelsSchema = v.object({ models: v.array(runnerModelSchema) })

/** `GET /health` on the runner: 200 `ok` once the default model answers, else 503 `starting`. */
export const runnerHealthSchema = v.object({ status: v.picklist(['ok', 'starting']), detail: v.optional(v.string()) })
export type RunnerHealth = v.InferOutput<typeof runnerHealthSchema>

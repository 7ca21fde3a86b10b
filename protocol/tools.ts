/**
 * Functions that a model may call, and the shape that an answer is held to, as OpenAI's chat completions have them.
 * https://platform.openai.com/docs/guides/function-calling, https://platform.openai.com/docs/guides/structured-outputs
 */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'
import { isOneOf, textSchema, UNSUPPORTED } from './text.ts'

export const functionNameSchema = v.pipe(
  v.string(),
  v.regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 of a-z, A-Z, 0-9, _ and -'),
)
/** A JSON Schema; it is read where it is compiled. */
export const jsonSchemaSchema = v.record(v.string(), v.unknown())

export const toolSchema = v.variant(
  'type',
  [
    v.strictObject({
      type: v.literal('function'),
      function: v.strictObject({
        name: functionNameSchema,
        description: v.optional(textSchema),
        parameters: v.optional(jsonSchemaSchema),
        strict: v.nullish(v.boolean()),
      }),
    }),
  ],
  (issue) => (issue.input === 'custom' ? UNSUPPORTED : 'type'),
)
export const toolsSchema = v.pipe(v.array(toolSchema), v.maxLength(LIMITS.tools))

const namedSchema = v.strictObject({ type: v.literal('function'), function: v.strictObject({ name: v.string() }) })
export const toolChoiceSchema = v.union([v.picklist(['none', 'auto', 'required']), namedSchema])

export const responseFormatSchema = v.variant(
  'type',
  [
    v.strictObject({ type: v.literal('text') }),
    v.strictObject({ type: v.literal('json_object') }),
    v.strictObject({
      type: v.literal('json_schema'),
      json_schema: v.strictObject({
        name: functionNameSchema,
        description: v.optional(textSchema),
        schema: v.optional(jsonSchemaSchema),
        strict: v.nullish(v.boolean()),
      }),
    }),
  ],
  (issue) => (isOneOf(issue.input, ['grammar', 'python']) ? UNSUPPORTED : 'type'),
)

/** A call, as an answer has it and as a later request gives it back. */
export const toolCallSchema = v.strictObject({
  id: v.string(),
  type: v.literal('function'),
  function: v.strictObject({ name: v.string(), arguments: textSchema }),
})

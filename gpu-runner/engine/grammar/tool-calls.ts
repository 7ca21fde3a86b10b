/** An answer that calls tools (the format is in `models/tokenizer/tool-turns.ts`) as a grammar. */
import { CALL_BEGIN, CALL_END } from '#models/tokenizer/tool-turns.ts'
import {
  ANY_CHARACTER,
  character,
  choice,
  EMPTY,
  type Expression,
  type Grammar,
  literal,
  minus,
  repeat,
  rule,
  sequence,
} from './expression.ts'
import { GrammarError } from './grammar-error.ts'
import { schemaGrammar } from './json-schema.ts'

export interface CallableTool {
  readonly name: string
  /** JSON Schema of its arguments. */
  readonly parameters: unknown
  readonly strict: boolean
}
export interface ToolCallOptions {
  readonly tools: readonly CallableTool[]
  /** The answer may be text instead, or begin with it. */
  readonly optional: boolean
  /** There may be several calls. */
  readonly parallel: boolean
}

const MOST_CALLS = 32
const TAG = CALL_BEGIN.trimEnd()
const CALLS = 'calls'
const BODY = 'body'

/** @throws GrammarError for parameters that cannot be held to, naming the tool */
export function toolCallGrammar({ tools, optional, parallel }: ToolCallOptions): Grammar {
  const rules = new Map<string, Expression>()
  const bodies = tools.map((tool, i) => {
    const { start, rules: own } = parametersGrammar(tool, `tool ${i} `)
    for (const [name, expression] of own) rules.set(name, expression)
    const head = `${CALL_BEGIN.slice(TAG.length)}{"name": ${JSON.stringify(tool.name)}, "arguments": `
    return sequence(literal(head), start, literal(`}${CALL_END}`))
  })
  rules.set(BODY, choice(...bodies))
  // What follows the tag of the first call.
  rules.set(
    CALLS,
    sequence(rule(BODY), repeat(sequence(literal(`\n${TAG}`), rule(BODY)), 0, parallel ? MOST_CALLS - 1 : 0)),
  )
  if (!optional) return { start: sequence(literal(TAG), rule(CALLS)), rules }
  for (const [name, expression] of textBeforeCalls()) rules.set(name, expression)
  return { start: rule(textRule(0)), rules }
}

function parametersGrammar({ name, parameters, strict }: CallableTool, scope: string): Grammar {
  try {
    return schemaGrammar(objectSchema(parameters), { strict, scope })
  } catch (error) {
    if (!(error instanceof GrammarError)) throw error
    throw new GrammarError(error.code, `the parameters of ${JSON.stringify(name)}: ${error.message}`)
  }
}

/** Arguments are an object, also where a schema does not say so. */
function objectSchema(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema
  return Object.keys(schema).some((key) => ['type', '$ref', 'anyOf', 'oneOf', 'allOf'].includes(key))
    ? schema
    : { type: 'object', ...schema }
}

const textRule = (state: number): string => `text ${state}`

/**
 * Text that becomes a call as soon as the tag of one is whole: an automaton that knows how many of the tag's characters
 * have come (Knuth, Morris and Pratt 1977), one rule a state. The tag's first character is nowhere else in it, so a
 * character that does not go on leads back to the beginning, or to the state after that first one.
 */
function textBeforeCalls(): [string, Expression][] {
  const first = TAG[0] as string
  const only = (text: string) => [text.charCodeAt(0), text.charCodeAt(0)] as const
  return [...TAG].map((expected, i) => [
    textRule(i),
    choice(
      EMPTY,
      sequence(character(minus(ANY_CHARACTER, [only(first), only(expected)])), rule(textRule(0))),
      ...(expected === first ? [] : [sequence(literal(first), rule(textRule(1)))]),
      sequence(literal(expected), rule(i + 1 < TAG.length ? textRule(i + 1) : CALLS)),
    ),
  ])
}

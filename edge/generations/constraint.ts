/** What of an OpenAI request an answer's text is held to: a response format, a regular expression, or calls of tools. */
import type { ChatRequest } from '#protocol/chat.ts'
import { ApiError } from '#protocol/error.ts'
import type { GenerationConstraint, Tool } from '#protocol/generation.ts'

/** What is left out takes no arguments. */
const NO_PARAMETERS = { type: 'object', properties: {}, required: [], additionalProperties: false }

export interface Constrained {
  /** Those that the model is told of. */
  readonly tools: Tool[]
  readonly constraint: GenerationConstraint | null
}

/** @throws ApiError if fields contradict each other, or if the choice is of no tool */
export function constrained(request: ChatRequest): Constrained {
  const tools = toTools(request)
  const choice = request.tool_choice ?? 'auto'
  const format = toConstraint(request)
  if (choice !== 'auto' && choice !== 'none' && tools.length === 0) {
    throw invalid('tool_choice', "'tool_choice' is only allowed when 'tools' are given.")
  }
  if (tools.length === 0 || choice === 'none') return { tools: choice === 'none' ? [] : tools, constraint: format }
  if (format) {
    const other = request.regex ? 'regex' : 'response_format'
    throw invalid(other, `'${other}' does not go with 'tools', unless 'tool_choice' is 'none'.`)
  }
  const callable = typeof choice === 'object' ? tools.filter(({ name }) => name === choice.function.name) : tools
  if (typeof choice === 'object' && callable.length === 0) {
    throw invalid(
      'tool_choice',
      `'tool_choice' names ${JSON.stringify(choice.function.name)}, which is not in 'tools'.`,
    )
  }
  const parallel = request.parallel_tool_calls && typeof choice !== 'object'
  return { tools, constraint: { type: 'tools', tools: callable, optional: choice === 'auto', parallel } }
}

function toTools({ tools }: ChatRequest): Tool[] {
  const names = new Set<string>()
  return tools.map(({ function: { name, description, parameters = NO_PARAMETERS, strict } }) => {
    if (names.has(name)) throw invalid('tools', `'tools' has two functions named ${JSON.stringify(name)}.`)
    names.add(name)
    return { name, ...(description !== undefined && { description }), parameters, strict: strict ?? false }
  })
}

function toConstraint({ response_format: format, regex }: ChatRequest): GenerationConstraint | null {
  if (regex && format.type !== 'text') throw invalid('regex', "'regex' does not go with 'response_format'.")
  if (regex) return { type: 'regex', pattern: regex }
  if (format.type === 'text') return null
  if (format.type === 'json_object') return { type: 'json_object' }
  const { schema = {}, strict } = format.json_schema
  return { type: 'json_schema', schema, strict: strict ?? false }
}

const invalid = (param: string, message: string) => new ApiError('invalid_value', message, { param })

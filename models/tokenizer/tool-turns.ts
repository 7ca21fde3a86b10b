/**
 * Tools in a conversation. A call is written as JSON between tags, the format of Hermes
 * (https://github.com/NousResearch/Hermes-Function-Calling) and Qwen:
 *
 *   <tool_call>
 *   {"name": "weather", "arguments": {"city": "Oslo"}}
 *   </tool_call>
 *
 * A template that knows this format is given tools and calls as they are; for any other they are put into words.
 */

export interface Tool {
  readonly name: string
  readonly description?: string | undefined
  /** JSON Schema of its arguments. */
  readonly parameters: Readonly<Record<string, unknown>>
}
export interface ToolCall {
  readonly id: string
  readonly name: string
  /** JSON. */
  readonly arguments: string
}
export type ChatTurn =
  | { readonly role: 'system' | 'user'; readonly content: string }
  | { readonly role: 'assistant'; readonly content: string; readonly toolCalls?: readonly ToolCall[] | undefined }
  | { readonly role: 'tool'; readonly content: string; readonly toolCallId: string }

/** A message as templates have it, and the tools beside them. */
export interface TemplateMessage {
  readonly role: string
  readonly content: string
  readonly [more: string]: unknown
}
export interface TemplateInput {
  readonly messages: readonly TemplateMessage[]
  readonly tools?: readonly unknown[]
}

export const CALL_BEGIN = '<tool_call>\n'
export const CALL_END = '\n</tool_call>'

/** Whether a template writes tools and calls itself, in the format above. */
export const knowsTools = (template: string): boolean => /\btools\b/.test(template) && template.includes('<tool_call>')

/** For a template that knows tools. */
export function asTemplateInput(turns: readonly ChatTurn[], tools: readonly Tool[]): TemplateInput {
  const messages = turns.map((turn): TemplateMessage => {
    if (turn.role === 'tool') return { role: 'tool', content: turn.content, tool_call_id: turn.toolCallId }
    if (turn.role !== 'assistant' || !turn.toolCalls) return { role: turn.role, content: turn.content }
    const tool_calls = turn.toolCalls.map(({ id, name, arguments: given }) => ({
      id,
      type: 'function',
      function: { name, arguments: JSON.parse(given) as unknown },
    }))
    return { role: 'assistant', content: turn.content, tool_calls }
  })
  return tools.length === 0 ? { messages } : { messages, tools: tools.map(describe) }
}

/** For one that does not: system, user and assistant messages alone. */
export function inWords(turns: readonly ChatTurn[], tools: readonly Tool[]): TemplateInput {
  const messages: TemplateMessage[] = []
  for (const turn of turns) {
    const before = messages.at(-1)
    if (turn.role === 'tool') {
      const result = `<tool_response>\n${turn.content}\n</tool_response>`
      const follows = before?.result === true
      if (follows) messages.pop()
      messages.push({ role: 'user', content: follows ? `${before.content}\n${result}` : result, result: true })
    } else if (turn.role === 'assistant') {
      const calls = (turn.toolCalls ?? []).map((call) => `${CALL_BEGIN}${callText(call)}${CALL_END}`)
      messages.push({ role: 'assistant', content: [turn.content, ...calls].filter((part) => part !== '').join('\n') })
    } else {
      messages.push({ role: turn.role, content: turn.content })
    }
  }
  const plain = messages.map(({ role, content }) => ({ role, content }))
  if (tools.length === 0) return { messages: plain }
  const [first] = plain
  const manual = instructions(tools)
  if (first?.role !== 'system') return { messages: [{ role: 'system', content: manual }, ...plain] }
  return { messages: [{ role: 'system', content: `${first.content}\n\n${manual}` }, ...plain.slice(1)] }
}

const callText = ({ name, arguments: given }: ToolCall) => `{"name": ${JSON.stringify(name)}, "arguments": ${given}}`

const describe = ({ name, description, parameters }: Tool) => ({
  type: 'function',
  function: { name, ...(description !== undefined && { description }), parameters },
})

const instructions = (tools: readonly Tool[]) =>
  `You can call functions to help the user. These are their signatures, each a JSON object:
<tools>
${tools.map((tool) => JSON.stringify(describe(tool))).join('\n')}
</tools>
To call one, answer with nothing but its name and its arguments, as a JSON object between tags:
${CALL_BEGIN}{"name": "the name", "arguments": {}}${CALL_END}`

/** Items of a response's input: as they are kept, and as the turns of a conversation that a model is shown. */
import { uuidv7 } from 'uuidv7'
import type { ChatMessage } from '#protocol/chat.ts'
import { ApiError } from '#protocol/error.ts'
import type { InputItem, Item } from '#protocol/responses.ts'

export const newId = (prefix: string) => `${prefix}_${uuidv7().replaceAll('-', '')}`

export function toItem(input: InputItem): Item {
  if (input.type === 'function_call') {
    const { type, call_id, name, arguments: given } = input
    return { id: newId('fc'), type, call_id, name, arguments: given, status: 'completed' }
  }
  if (input.type === 'function_call_output') {
    const { type, call_id, output } = input
    const text = typeof output === 'string' ? output : output.map((part) => part.text).join('\n')
    return { id: newId('fco'), type, call_id, output: text, status: 'completed' }
  }
  const { role, content, status } = input
  const parts =
    typeof content === 'string'
      ? [{ type: role === 'assistant' ? ('output_text' as const) : ('input_text' as const), text: content }]
      : content
  return {
    id: newId('msg'),
    type: 'message',
    role,
    status: status ?? 'completed',
    content: parts.map(({ type, text }) =>
      type === 'output_text' ? { type, text, annotations: [], logprobs: [] } : { type, text },
    ),
  }
}

/** @throws ApiError for what a call gave, without the call */
export function toMessages(instructions: string | null, items: readonly Item[]): ChatMessage[] {
  const messages: ChatMessage[] = instructions === null ? [] : [{ role: 'system', content: instructions }]
  const calls = new Set<string>()
  for (const item of items) {
    if (item.type === 'message') {
      const content = item.content.map(({ text }) => text).join('\n')
      messages.push({ role: item.role, content })
      continue
    }
    if (item.type === 'function_call_output') {
      if (!calls.has(item.call_id)) {
        const message = `No call in 'input' or before it has the call_id '${item.call_id}'.`
        throw new ApiError('invalid_value', message, { param: 'input' })
      }
      messages.push({ role: 'tool', content: item.output, tool_call_id: item.call_id })
      continue
    }
    calls.add(item.call_id)
    const call = {
      id: item.call_id,
      type: 'function' as const,
      function: { name: item.name, arguments: item.arguments },
    }
    const last = messages.at(-1)
    // Calls belong to the text that they came with, and to each other.
    if (last?.role === 'assistant') last.tool_calls = [...(last.tool_calls ?? []), call]
    else messages.push({ role: 'assistant', content: null, tool_calls: [call] })
  }
  return messages
}

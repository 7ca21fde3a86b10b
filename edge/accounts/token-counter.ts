/**
 * Counts a prompt's tokens here, by the model's own tokenizer and template, so that what is over a limit never reaches a
 * runner. What they are made of comes from a runner once, and is kept for a while.
 */
import { type ChatTemplate, createChatTemplate, encodeChat } from '#models/tokenizer/chat-template.ts'
import { createTokenizer, type Tokenizer } from '#models/tokenizer/tokenizer.ts'
import { TokenizerError } from '#models/tokenizer/tokenizer-error.ts'
import { ApiError } from '#protocol/error.ts'
import type { Prompt } from '#protocol/generation.ts'
import type { Runners } from '../runners/runners.ts'

/** Models at once: each takes some ten megabytes. */
const MOST = 2
const KEPT_MS = 10 * 60_000

interface Counter {
  readonly tokenizer: Tokenizer
  readonly template: ChatTemplate
  readonly contextLength: number
  readonly until: number
}

/** By model, the one used longest ago first. */
const counters = new Map<string, Counter>()

export interface Counted {
  readonly tokens: number
  readonly contextLength: number
}

/** @throws ApiError if there is no such model, or no runner to ask about it; 400 if its template refuses the prompt */
export async function countTokens(runners: Runners, model: string, prompt: Prompt): Promise<Counted> {
  const { tokenizer, template, contextLength } = await counterOf(runners, model)
  return { tokens: lengthOf(prompt, tokenizer, template), contextLength }
}

async function counterOf(runners: Runners, model: string): Promise<Counter> {
  const now = Date.now()
  let counter = counters.get(model)
  if (!counter || counter.until <= now) {
    const { metadata, contextLength } = await runners.tokenizer(model)
    const entries = new Map(Object.entries(metadata))
    counter = {
      tokenizer: createTokenizer(entries),
      template: createChatTemplate(entries),
      contextLength,
      until: now + KEPT_MS,
    }
  }
  counters.delete(model)
  counters.set(model, counter)
  for (const oldest of counters.keys()) {
    if (counters.size <= MOST) break
    counters.delete(oldest)
  }
  return counter
}

function lengthOf(prompt: Prompt, tokenizer: Tokenizer, template: ChatTemplate): number {
  switch (prompt.type) {
    case 'tokens':
      return prompt.tokens.length
    case 'text':
      return tokenizer.encode(prompt.text).length + (tokenizer.addBos && tokenizer.bosId !== undefined ? 1 : 0)
    case 'chat':
      try {
        return encodeChat(tokenizer, template, prompt.messages, prompt.tools).length
      } catch (cause) {
        if (!(cause instanceof TokenizerError)) throw cause
        throw new ApiError('invalid_value', `The model cannot take these messages: ${cause.message}.`, {
          param: 'messages',
          cause,
        })
      }
  }
}

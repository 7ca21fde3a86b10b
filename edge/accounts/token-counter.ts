/**
 * Counts tokens here, by the model's own tokenizer and template, so that what is over a limit never reaches a
 * runner. What they are made of comes from a runner once, and is kept for a while.
 */
import { type ChatTemplate, createChatTemplate, encodeChat } from '#models/tokenizer/chat-template.ts'
import { createTokenizer, type Tokenizer } from '#models/tokenizer/tokenizer.ts'
import { TokenizerError } from '#models/tokenizer/tokenizer-error.ts'
import { createWordPiece } from '#models/tokenizer/word-piece.ts'
import { ApiError } from '#protocol/error.ts'
import { type Prompt, TOKENIZER_FILE, type TokenizerReply } from '#protocol/generation.ts'
import type { Runners } from '../runners/runners.ts'

/** Models at once: each takes some ten megabytes. */
const MOST = 2
const KEPT_MS = 10 * 60_000

interface Counter {
  /** @throws ApiError for a prompt that the model cannot take */
  readonly count: (prompt: Prompt) => number
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
  const { count, contextLength } = await counterOf(runners, model)
  return { tokens: count(prompt), contextLength }
}

/** A model's tokenizer, as far as it counts. @throws ApiError as `countTokens` */
export async function counterOf(runners: Runners, model: string): Promise<Counter> {
  const now = Date.now()
  let counter = counters.get(model)
  if (!counter || counter.until <= now) {
    const { metadata, contextLength } = await runners.tokenizer(model)
    counter = { count: countingBy(metadata, model), contextLength, until: now + KEPT_MS }
  }
  counters.delete(model)
  counters.set(model, counter)
  for (const oldest of counters.keys()) {
    if (counters.size <= MOST) break
    counters.delete(oldest)
  }
  return counter
}

function countingBy(metadata: TokenizerReply['metadata'], model: string): Counter['count'] {
  const file = metadata[TOKENIZER_FILE]
  if (typeof file === 'string') {
    const tokenizer = createWordPiece(file)
    return (prompt) => {
      if (prompt.type === 'tokens') return prompt.tokens.length
      if (prompt.type === 'text') return tokenizer.encode(prompt.text).length
      throw new ApiError('invalid_value', `The model '${model}' is not for chat.`, { param: 'model' })
    }
  }
  const entries = new Map(Object.entries(metadata))
  const [tokenizer, template] = [createTokenizer(entries), createChatTemplate(entries)]
  return (prompt) => lengthOf(prompt, tokenizer, template)
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

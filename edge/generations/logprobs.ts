/** Log probabilities as OpenAI's chat completions have them. A token that is part of a character shows as U+FFFD; its bytes are whole. */
import type { ChatLogprobs } from '#protocol/chat.ts'
import type { TokenLogprob } from '#protocol/generation.ts'

/** What OpenAI gives for a probability too small to tell from none. */
const LEAST = -9999

type Entry = Omit<ChatLogprobs['content'][number], 'top_logprobs'>

export function toLogprobs(tokens: readonly TokenLogprob[]): ChatLogprobs {
  return {
    content: tokens.map((token) => ({ ...entry(token), top_logprobs: token.top.map(entry) })),
    refusal: null,
  }
}

function entry({ bytes, logprob }: Pick<TokenLogprob, 'bytes' | 'logprob'>): Entry {
  return { token: new TextDecoder().decode(Uint8Array.from(bytes)), logprob: Math.max(LEAST, logprob), bytes }
}

/** Log probabilities as OpenAI's APIs have them. */
import type { ChatLogprobs } from '#protocol/chat.ts'
import type { TokenLogprob } from '#protocol/generation.ts'

/** What OpenAI gives for a probability too small to tell from none. */
const LEAST = -9999

type Entry = Omit<ChatLogprobs['content'][number], 'top_logprobs'>
type Token = Pick<TokenLogprob, 'bytes' | 'name'>

export function toLogprobs(tokens: readonly TokenLogprob[]): ChatLogprobs {
  return {
    content: tokens.map((token) => ({ ...entry(token), top_logprobs: token.top.map(entry) })),
    refusal: null,
  }
}

function entry({ bytes, name, logprob }: Token & { logprob: number }): Entry {
  const token = name ?? textOf(bytes) ?? escaped(bytes)
  return { token, logprob: Math.max(LEAST, logprob), bytes: name === undefined ? bytes : null }
}

/** A token as completions write it: a key of `top_logprobs`, so that no two may look alike. */
export function tokenKey({ bytes, name }: Token): string {
  return name ?? textOf(bytes) ?? `bytes:${escaped(bytes)}`
}

/** Undefined for bytes that are a part of a character. */
function textOf(bytes: readonly number[]): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes))
  } catch {
    return undefined
  }
}

const escaped = (bytes: readonly number[]) => bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')

/**
 * Which runner gets a request. Requests that begin alike go to the same one, where their prefix is kept: rendezvous hashing
 * (Thaler and Ravishankar 1998), unless that one has much more to do than the others (bounded loads, Mirrokni et al. 2018,
 * https://arxiv.org/abs/1608.01350). A pure function.
 */
import type { Prompt } from '#protocol/generation.ts'

export interface Candidate {
  readonly id: string
  /** Whether the model is loaded there. */
  readonly loaded: boolean
  /** Requests that it has, waiting or running. */
  readonly requests: number
  /** Requests that it computes at once; at least 1. */
  readonly slots: number
}

/** How much more than the average a runner may have before a request goes elsewhere. */
const BOUND = 1.25
/** UTF-16 code units of a prompt that tell conversations apart. */
const KEY_LENGTH = 2048

/** The candidates, the one to ask first at the front. */
export function inOrder<C extends Candidate>(candidates: readonly C[], key: string): C[] {
  const fill = ({ requests, slots }: Candidate) => requests / slots
  const total = candidates.reduce((sum, { requests }) => sum + requests, 1)
  const slots = candidates.reduce((sum, candidate) => sum + candidate.slots, 0)
  const most = BOUND * (total / Math.max(1, slots))
  const overloaded = (candidate: Candidate) => candidate.requests >= candidate.slots && fill(candidate) > most
  const scored = candidates.map((candidate) => ({ candidate, score: hash(`${key}\n${candidate.id}`) }))
  scored.sort(
    (a, b) =>
      Number(b.candidate.loaded) - Number(a.candidate.loaded) ||
      Number(overloaded(a.candidate)) - Number(overloaded(b.candidate)) ||
      (overloaded(a.candidate) ? fill(a.candidate) - fill(b.candidate) : 0) ||
      b.score - a.score,
  )
  return scored.map(({ candidate }) => candidate)
}

/** What requests with the same prefix have in common: the tenant, the instructions and the first question. */
export function prefixKey(tenant: string, prompt: Prompt): string {
  switch (prompt.type) {
    case 'chat': {
      const first = prompt.messages.findIndex(({ role }) => role === 'user')
      const beginning = prompt.messages.slice(0, Math.max(1, first + 1)).map(({ content }) => content)
      return `${tenant}\n${beginning.join('\n').slice(0, KEY_LENGTH)}`
    }
    case 'text':
      return `${tenant}\n${prompt.text.slice(0, KEY_LENGTH)}`
    case 'tokens':
      return `${tenant}\n${prompt.tokens.slice(0, KEY_LENGTH >> 2).join(' ')}`
  }
}

/** FNV-1a over UTF-16 code units, its bits mixed once more (the finaliser of MurmurHash3). */
function hash(text: string): number {
  let bits = 0x811c9dc5
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193)
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

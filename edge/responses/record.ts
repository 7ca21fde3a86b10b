/** What a stored response is made of, beside the log of what its runner said. */
import type { GenerationRequest } from '#protocol/generation.ts'
import type { Item, Response } from '#protocol/responses.ts'
import type { Account } from '../accounts/holder.ts'

/** In the ledger. A response that was deleted may be made again under the same id, by the same `Idempotency-Key`. */
export function ledgerId({ response, createdAt }: ResponseRecord): string {
  return `${response.id}.${createdAt}`
}

/** A response as it is asked for: nothing of it has been generated. */
export interface ResponseRecord {
  readonly owner: string
  readonly account: Account
  readonly requestId: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** As it is at the beginning. */
  readonly response: Response
  readonly generation: GenerationRequest
  /** What the answer follows: earlier turns, and the request's own items. */
  readonly input: readonly Item[]
  /** Whether log probabilities were asked for. */
  readonly logprobs: boolean
}

/** Lets a request for generations through within its key's limits, and writes down what it used. */
import { ApiError } from '#protocol/error.ts'
import type { GenerationEvent, GenerationRequest } from '#protocol/generation.ts'
import type { KeyLimits } from '#protocol/keys.ts'
import type { Principal } from '../context.ts'
import type { Bindings } from '../env.ts'
import { Runners } from '../runners/runners.ts'
import { type UsageEntry, writeUsage } from '../storage/usage.ts'
import type { Account } from './holder.ts'
import { RENEW_MS, type Refused, type Standing } from './limits.ts'
import { reckon, requireContext } from './reckon.ts'

/** What the headers say where there is no limit. */
const NO_LIMIT = 1_000_000_000

export const accountOf = ({ owner, keyId, limits }: Principal): Account => ({ owner, keyId, limits })

export interface Admission {
  /** `x-ratelimit-*`, as OpenAI has them. */
  readonly headers: Readonly<Record<string, string>>
  /** As they may be asked: under a limit of tokens, an answer has a bound. */
  readonly requests: readonly GenerationRequest[]
}

/**
 * @param id of the request
 * @throws ApiError 429 that names the limit, with the time after which it would pass; 400 for what is over the context
 */
export async function admit(
  env: Bindings,
  account: Account,
  id: string,
  requests: readonly GenerationRequest[],
  requestId: string,
): Promise<Admission> {
  const runners = new Runners(env, requestId)
  if (!countsTokens(account)) await requireContext(runners, requests)
  let bounded = requests
  const headers = await admitTokens(env, account, id, async () => {
    const reckoned = await reckon(runners, requests)
    bounded = reckoned.bounded
    return reckoned.tokens
  })
  return { headers, requests: bounded }
}

/**
 * As `admit`, for a request of another kind.
 * @param count tokens that it may take; asked only under a limit of tokens
 * @returns the headers
 */
export async function admitTokens(
  env: Bindings,
  account: Account,
  id: string,
  count: () => Promise<number>,
): Promise<Readonly<Record<string, string>>> {
  const { keyId, limits } = account
  if (limits === null || keyId === null) return headersOf({})
  const tokens = countsTokens(account) ? await count() : 0
  const { refused, standing } = await env.ACCOUNTS.getByName(keyId).admit(limits, id, tokens)
  if (refused) throw refusal(refused, limits, tokens)
  return headersOf(standing)
}

function countsTokens({ keyId, limits }: Account): boolean {
  return keyId !== null && (limits?.tokens_per_minute !== undefined || limits?.tokens_per_month !== undefined)
}

/** `x-ratelimit-*` as they are now. */
export async function rateLimits(env: Bindings, { keyId, limits }: Account): Promise<Readonly<Record<string, string>>> {
  if (limits === null || keyId === null) return headersOf({})
  return headersOf(await env.ACCOUNTS.getByName(keyId).standing(limits))
}

/** Keeps a request's reservation while it runs. */
export function renewing(env: Bindings, { keyId, limits }: Account, id: string): Disposable {
  if (limits === null || keyId === null) return { [Symbol.dispose]() {} }
  const timer = setInterval(() => {
    // One that fails is made up for by the next.
    env.ACCOUNTS.getByName(keyId)
      .renew(id)
      .catch(() => {})
  }, RENEW_MS)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** A request has ended: its tokens go to the ledger, and its reservation is given back. May be called again. */
export async function settle(
  env: Bindings,
  { keyId, limits }: Account,
  id: string,
  entries: readonly UsageEntry[],
): Promise<void> {
  await writeUsage(env.DB, entries)
  if (limits === null || keyId === null) return
  const used = entries.reduce((sum, { promptTokens, completionTokens }) => sum + promptTokens + completionTokens, 0)
  await env.ACCOUNTS.getByName(keyId).settle(limits, id, used)
}

export interface Metered {
  /** The generation's, in the ledger. */
  readonly id: string
  readonly account: Account
  readonly model: string
  readonly route: string
}

/** What one generation has used so far, from its events. */
export class Meter {
  readonly #startedAt: number
  #promptTokens = 0
  #completionTokens = 0
  #cachedTokens = 0
  #outcome: UsageEntry['outcome'] = 'cancelled'

  constructor(now: number) {
    this.#startedAt = now
  }

  take(event: GenerationEvent): void {
    if (event.type === 'generation-start') this.#promptTokens = event.promptTokens
    else if (event.type === 'generation-error') this.#outcome = 'failed'
    else if (event.type === 'generation-finish') {
      const { promptTokens, completionTokens, cachedTokens } = event.usage
      this.#promptTokens = promptTokens
      this.#completionTokens = completionTokens
      this.#cachedTokens = cachedTokens
      this.#outcome = 'completed'
    } else this.#completionTokens += event.ids?.length ?? 1
  }

  /** Null if nothing was generated at all. */
  entry(of: Metered, now: number): UsageEntry | null {
    return this.#promptTokens === 0 ? null : this.row(of, now)
  }

  /** Also if nothing was: as one refused. */
  row({ id, account: { owner, keyId }, model, route }: Metered, now: number): UsageEntry {
    return {
      id,
      owner,
      keyId,
      model,
      route,
      promptTokens: this.#promptTokens,
      completionTokens: this.#completionTokens,
      cachedTokens: this.#cachedTokens,
      startedAt: this.#startedAt,
      endedAt: now,
      outcome: this.#promptTokens === 0 ? 'refused' : this.#outcome,
    }
  }
}

const WORDS: Readonly<Record<keyof KeyLimits, string>> = {
  requests_per_minute: 'requests a minute',
  tokens_per_minute: 'tokens a minute',
  concurrency: 'requests at once',
  tokens_per_month: 'tokens a month',
}

function refusal({ limit, retryAfterMs }: Refused, limits: KeyLimits, tokens: number): ApiError {
  const needs = limit.startsWith('tokens') ? `; this request may take ${tokens}` : ''
  const message = `This API key may have ${limits[limit]} ${WORDS[limit]}${needs}.`
  const code = limit === 'tokens_per_month' ? 'insufficient_quota' : 'rate_limit_exceeded'
  // No time makes a request smaller.
  if (retryAfterMs === null) return new ApiError(code, `${message} It is too large.`)
  return new ApiError(code, message, { retryAfter: Math.max(1, Math.ceil(retryAfterMs / 1000)) })
}

function headersOf({ requests, tokens }: Standing): Record<string, string> {
  const none = { limit: NO_LIMIT, remaining: NO_LIMIT, resetMs: 0 }
  return Object.fromEntries(
    (
      [
        ['requests', requests ?? none],
        ['tokens', tokens ?? none],
      ] as const
    ).flatMap(([name, { limit, remaining, resetMs }]) => [
      [`x-ratelimit-limit-${name}`, String(limit)],
      [`x-ratelimit-remaining-${name}`, String(remaining)],
      [`x-ratelimit-reset-${name}`, duration(resetMs)],
    ]),
  )
}

/** As OpenAI writes it: `1s`, `6m0s`, `20ms`. */
function duration(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  const seconds = Math.ceil(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}

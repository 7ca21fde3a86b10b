/**
 * What one key may still do: token buckets for requests and tokens a minute (as RFC 2697's, refilled all the time),
 * requests at once, tokens a month. Pure: the time is given, and may jump. What is admitted holds a reservation until it is
 * settled; one that is never settled, because its edge is gone, runs out by itself.
 */
import type { KeyLimits } from '#protocol/keys.ts'

const MINUTE_MS = 60_000
/** A reservation that is not renewed lasts so long. */
const LEASE_MS = 3 * MINUTE_MS
/** How often it is renewed while its request runs. */
export const RENEW_MS = MINUTE_MS

interface Bucket {
  /** What has been taken from it and not been refilled; below 0 never. */
  taken: number
  at: number
}

export interface AccountState {
  readonly requests: Bucket
  readonly tokens: Bucket
  /** Of the month that is named, as settled. */
  month: { name: string; tokens: number }
  /** By id: what runs. */
  readonly open: Record<string, Reservation & { until: number }>
  /** By id: what ran out before it was settled, the oldest first; settled late, it still counts. */
  readonly lapsed: Record<string, Reservation>
}

interface Reservation {
  readonly tokens: number
  /** What runners have told that it used, by generation, of so many; it counts if nobody settles the request. */
  told?: { readonly of: number; readonly used: Record<string, number> }
}

/** Of those, so many at most. */
const MOST_LAPSED = 1000

/** `retryAfterMs` is null where no time helps: the request alone is over the limit. */
export type Refused = { readonly limit: keyof KeyLimits; readonly retryAfterMs: number | null }

/** What is left, for the headers. */
export interface Standing {
  readonly requests?: { readonly limit: number; readonly remaining: number; readonly resetMs: number }
  readonly tokens?: { readonly limit: number; readonly remaining: number; readonly resetMs: number }
}

export function newAccount(now: number): AccountState {
  return { requests: { taken: 0, at: now }, tokens: { taken: 0, at: now }, month: monthOf(now), open: {}, lapsed: {} }
}

/**
 * Admits a request, or says which limit is in its way.
 * @param id of the request: one that is admitted already stays so
 * @param tokens that it may take, prompt and answer
 */
export function admit(
  state: AccountState,
  limits: KeyLimits,
  now: number,
  { id, tokens }: { readonly id: string; readonly tokens: number },
): Refused | undefined {
  advance(state, limits, now)
  if (state.open[id]) return undefined
  const open = Object.values(state.open)
  const { requests_per_minute: rpm, tokens_per_minute: tpm, concurrency, tokens_per_month: tpmonth } = limits
  if (concurrency !== undefined && open.length >= concurrency) return { limit: 'concurrency', retryAfterMs: 1000 }
  // What ran out may have been used all the same, and may still be settled: the month's budget holds whatever comes.
  const reserved = [...open, ...Object.values(state.lapsed)].reduce((sum, one) => sum + one.tokens, 0)
  if (tpmonth !== undefined && state.month.tokens + reserved + tokens > tpmonth) {
    return { limit: 'tokens_per_month', retryAfterMs: tokens > tpmonth ? null : nextMonth(now) - now }
  }
  if (rpm !== undefined && state.requests.taken + 1 > rpm) {
    return { limit: 'requests_per_minute', retryAfterMs: ((state.requests.taken + 1 - rpm) / rpm) * MINUTE_MS }
  }
  if (tpm !== undefined && state.tokens.taken + tokens > tpm) {
    const retryAfterMs = tokens > tpm ? null : ((state.tokens.taken + tokens - tpm) / tpm) * MINUTE_MS
    return { limit: 'tokens_per_minute', retryAfterMs }
  }
  state.requests.taken += 1
  state.tokens.taken += tokens
  state.open[id] = { tokens, until: now + LEASE_MS }
  return undefined
}

/** A request goes on: its reservation does, too. */
export function renew(state: AccountState, now: number, id: string): void {
  const open = state.open[id]
  if (open) open.until = now + LEASE_MS
}

/** A request has ended, having used so many tokens. Once: what is neither open nor lapsed has been settled. */
export function settle(state: AccountState, limits: KeyLimits, now: number, id: string, used: number): void {
  advance(state, limits, now)
  const open = state.open[id] ?? state.lapsed[id]
  if (!open) return
  conclude(state, id, open, used)
}

function conclude(state: AccountState, id: string, { tokens }: Reservation, used: number): void {
  delete state.open[id]
  delete state.lapsed[id]
  state.tokens.taken = Math.max(0, state.tokens.taken - tokens + used)
  state.month.tokens += used
}

export interface Told {
  /** Of the request. */
  readonly id: string
  readonly generation: string
  /** Generations that the request has. */
  readonly of: number
  readonly used: number
}

/**
 * A runner tells what one generation of a request used. Its edge may still be there and settle it, which it knows best;
 * if that is gone, the reservation runs out, and what was told is what was used.
 */
export function tell(state: AccountState, limits: KeyLimits, now: number, { id, generation, of, used }: Told): void {
  advance(state, limits, now)
  const reservation = state.open[id] ?? state.lapsed[id]
  if (!reservation) return
  reservation.told ??= { of, used: {} }
  const before = reservation.told.used[generation] ?? 0
  reservation.told.used[generation] = Math.max(before, used)
  if (state.lapsed[id]) settleAsTold(state, id, reservation)
}

/** Whether all of it had been told. */
function settleAsTold(state: AccountState, id: string, reservation: Reservation): boolean {
  const used = Object.values(reservation.told?.used ?? {})
  if (used.length === 0 || used.length < (reservation.told?.of ?? 0)) return false
  const sum = used.reduce((all, one) => all + one, 0)
  conclude(state, id, reservation, sum)
  return true
}

export function standing(state: AccountState, limits: KeyLimits, now: number): Standing {
  advance(state, limits, now)
  const { requests, tokens } = state
  const left = (limit: number, { taken }: Bucket) => ({
    limit,
    remaining: Math.max(0, Math.floor(limit - taken)),
    resetMs: Math.ceil((taken / limit) * MINUTE_MS),
  })
  return {
    ...(limits.requests_per_minute !== undefined && { requests: left(limits.requests_per_minute, requests) }),
    ...(limits.tokens_per_minute !== undefined && { tokens: left(limits.tokens_per_minute, tokens) }),
  }
}

function advance(state: AccountState, limits: KeyLimits, now: number): void {
  refill(state.requests, limits.requests_per_minute, now)
  refill(state.tokens, limits.tokens_per_minute, now)
  const month = monthOf(now)
  // A clock that was set back must not give a month's budget twice.
  if (month.name > state.month.name) {
    state.month = month
    for (const id of Object.keys(state.lapsed)) delete state.lapsed[id]
  }
  for (const [id, open] of Object.entries(state.open)) {
    // Nor must one that was set back keep a reservation for ever.
    open.until = Math.min(open.until, now + LEASE_MS)
    if (open.until > now) continue
    if (settleAsTold(state, id, open)) continue
    delete state.open[id]
    const { until: _, ...reservation } = open
    state.lapsed[id] = reservation
  }
  for (const id of Object.keys(state.lapsed).slice(0, -MOST_LAPSED)) delete state.lapsed[id]
}

function refill(bucket: Bucket, perMinute: number | undefined, now: number): void {
  const elapsed = Math.max(0, now - bucket.at)
  // Without a limit nothing is owed when there is one again.
  bucket.taken = perMinute === undefined ? 0 : Math.max(0, bucket.taken - (elapsed / MINUTE_MS) * perMinute)
  bucket.at = now
}

function monthOf(now: number): { name: string; tokens: number } {
  return { name: new Date(now).toISOString().slice(0, 7), tokens: 0 }
}

function nextMonth(now: number): number {
  const date = new Date(now)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}

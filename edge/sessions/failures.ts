/**
 * Failed sign-ins: keys that are not good, by the address they come from. A bucket each, refilled all the time. A good key
 * is let in whatever others do from its address; what is over the limit is told to wait. Each isolate counts by itself.
 */
import { ApiError } from '#protocol/error.ts'
import type { EdgeContext } from '../context.ts'
import { configOf } from '../env.ts'

const PER_MINUTE = 20
const MINUTE_MS = 60_000
const REFILL_MS = MINUTE_MS / PER_MINUTE
/** Addresses that are remembered, the one that failed longest ago goes first. */
const MOST_ADDRESSES = 10_000
/** Stands for everybody where addresses are not known. */
const ANYWHERE = ''

export class Failures {
  /** When each has its whole minute's number again (the generic cell rate algorithm of ATM, ITU-T I.371). */
  readonly #wholeAt = new Map<string, number>()
  readonly #most: number

  constructor(most = MOST_ADDRESSES) {
    this.#most = most
  }

  /**
   * Counts one more, if there is room.
   * @param now milliseconds since the epoch; may jump
   * @returns milliseconds until there is; 0 if there was
   */
  count(address: string, now: number): number {
    const wholeAt = this.#wholeAt.get(address) ?? now
    const before = Math.min(Math.max(wholeAt, now), now + MINUTE_MS)
    const waitMs = Math.max(0, before + REFILL_MS - MINUTE_MS - now)
    this.#wholeAt.delete(address)
    this.#wholeAt.set(address, waitMs > 0 ? before : before + REFILL_MS)
    const [oldest] = this.#wholeAt.keys()
    if (this.#wholeAt.size > this.#most && oldest !== undefined) this.#wholeAt.delete(oldest)
    return waitMs
  }
}

const failures = new Failures()

/** Counts a key that is not good. @returns what it is refused with: `error`, or 429 after too many */
export function failedSignIn(c: EdgeContext, error: ApiError): ApiError {
  // Only this machine is there, and guesses nothing that it could not read.
  if (configOf(c.env).loopback) return error
  const waitMs = failures.count(addressOf(c.req.raw), Date.now())
  if (waitMs === 0) return error
  const message = `Too many API keys that are not valid: ${PER_MINUTE} a minute are answered. A valid one is let in at any time.`
  return new ApiError('rate_limit_exceeded', message, { retryAfter: Math.ceil(waitMs / 1000) })
}

/**
 * The caller's, as Cloudflare names it; of IPv6 the half that one subscriber has. Elsewhere whoever asks could name any.
 */
export function addressOf(request: Request & { readonly cf?: unknown }): string {
  const address = request.cf === undefined ? null : request.headers.get('cf-connecting-ip')
  if (address === null) return ANYWHERE
  if (!address.includes(':')) return address
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = head.split(':').filter(Boolean)
  const after = (tail ?? '').split(':').filter(Boolean)
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length)
  const all = [...groups, ...Array.from({ length: zeros }, () => '0'), ...after]
  return all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}

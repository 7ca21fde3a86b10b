/** Text as callers may send it, and how a schema says that a value is known but not served. */
import * as v from 'valibot'

/** As an issue's message: the value is legal in the vendor's API, Tandem does not serve it. */
export const UNSUPPORTED = 'unsupported'
/** As an issue's message: half of a surrogate pair, which no UTF-8 can carry. */
export const LONE_SURROGATE = 'lone surrogate'

export const textSchema = v.pipe(
  v.string(),
  v.check((text) => text.isWellFormed(), LONE_SURROGATE),
)

/** Whether `input` is one of `values`. */
export function isOneOf(input: unknown, values: readonly string[]): boolean {
  return typeof input === 'string' && values.includes(input)
}

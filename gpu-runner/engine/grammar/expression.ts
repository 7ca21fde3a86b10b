/** Grammars over bytes as plain data: what schemas and regular expressions become before they are compiled. */

export type Expression =
  /** One byte of a range, both ends included. */
  | { readonly kind: 'byte'; readonly from: number; readonly to: number }
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly kind: 'choice'; readonly options: readonly Expression[] }
  /** `max` may be Infinity. */
  | { readonly kind: 'repeat'; readonly part: Expression; readonly min: number; readonly max: number }
  /** A rule of the grammar, by its name; it may be the one that this is in. */
  | { readonly kind: 'rule'; readonly name: string }

export interface Grammar {
  readonly start: Expression
  readonly rules: ReadonlyMap<string, Expression>
}

/** Code points, both ends included; sorted and apart from each other. */
export type Ranges = readonly (readonly [number, number])[]

export const EMPTY: Expression = { kind: 'sequence', parts: [] }
/** Matches nothing, not even the empty text. */
export const NEVER: Expression = { kind: 'choice', options: [] }

export const sequence = (...parts: Expression[]): Expression =>
  parts.length === 1 ? (parts[0] as Expression) : { kind: 'sequence', parts }
export const choice = (...options: Expression[]): Expression =>
  options.length === 1 ? (options[0] as Expression) : { kind: 'choice', options }
export const repeat = (part: Expression, min: number, max: number): Expression => ({ kind: 'repeat', part, min, max })
export const optional = (part: Expression): Expression => repeat(part, 0, 1)
export const rule = (name: string): Expression => ({ kind: 'rule', name })

/** A text as it is. */
export function literal(text: string): Expression {
  return sequence(
    ...[...new TextEncoder().encode(text)].map((byte) => ({ kind: 'byte' as const, from: byte, to: byte })),
  )
}

export const LAST_CODE_POINT = 0x10ffff
export const ANY_CHARACTER: Ranges = [[0, LAST_CODE_POINT]]
/** No UTF-8 carries these. */
const SURROGATES: Ranges = [[0xd800, 0xdfff]]
/** The greatest code points of one, two, three and four bytes. */
const GREATEST = [0x7f, 0x7ff, 0xffff, LAST_CODE_POINT] as const

/** One character of the ranges, in UTF-8 (RFC 3629: no overlong forms, no surrogates). */
export function character(ranges: Ranges): Expression {
  return choice(...minus(ranges, SURROGATES).flatMap(([from, to]) => utf8(from, to)))
}

function utf8(from: number, to: number): Expression[] {
  if (to <= GREATEST[0]) return [{ kind: 'byte', from, to }]
  for (const greatest of GREATEST) {
    if (from <= greatest && to > greatest) return [...utf8(from, greatest), ...utf8(greatest + 1, to)]
  }
  // All are of one length now. Where a trailing byte does not run through its whole range, the range is cut.
  for (const bits of [6, 12, 18]) {
    const mask = (1 << bits) - 1
    if (from >> bits === to >> bits) continue
    if ((from & mask) !== 0 && to > 0x7f) return [...utf8(from, from | mask), ...utf8((from | mask) + 1, to)]
    if ((to & mask) !== mask && to > 0x7f) return [...utf8(from, (to & ~mask) - 1), ...utf8(to & ~mask, to)]
  }
  const [low, high] = [from, to].map((point) => new TextEncoder().encode(String.fromCodePoint(point))) as [
    Uint8Array,
    Uint8Array,
  ]
  return [sequence(...[...low].map((byte, i) => ({ kind: 'byte' as const, from: byte, to: high[i] as number })))]
}

/** In order, and without overlaps. */
export function union(...all: Ranges[]): Ranges {
  const merged: [number, number][] = []
  for (const [from, to] of all.flat().sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return merged
}

export function minus(ranges: Ranges, others: Ranges): Ranges {
  let left = union(ranges)
  for (const [from, to] of others) {
    left = left.flatMap(([a, b]): Ranges => {
      if (b < from || a > to) return [[a, b]]
      return [...(a < from ? [[a, from - 1] as const] : []), ...(b > to ? [[to + 1, b] as const] : [])]
    })
  }
  return left
}

export const intersection = (a: Ranges, b: Ranges): Ranges => minus(a, minus(ANY_CHARACTER, b))

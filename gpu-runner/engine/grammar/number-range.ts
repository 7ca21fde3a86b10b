/** Numbers between bounds, as grammars over their decimal digits. */
import { character, choice, EMPTY, type Expression, literal, NEVER, optional, repeat, sequence } from './expression.ts'

export interface Bound {
  readonly value: number
  /** The bound itself is out. */
  readonly exclusive: boolean
}
export interface Bounds {
  readonly least?: Bound | undefined
  readonly greatest?: Bound | undefined
}

/** Digits before the point where a side is open, and behind it. */
const MOST_DIGITS = 16
const MOST_FRACTION_DIGITS = 20

const digits = (from: number, to: number): Expression => character([[0x30 + from, 0x30 + to]])
const anyDigits = (min: number, max: number): Expression => repeat(digits(0, 9), min, max)

/** A whole number within the bounds; NEVER if there is none. */
export function integerWithin({ least, greatest }: Bounds): Expression {
  const open = 10n ** BigInt(MOST_DIGITS) - 1n
  const from = least ? above(least) : -open
  const to = greatest ? below(greatest) : open
  if (from > to) return NEVER
  const parts: Expression[] = []
  if (from < 0n) parts.push(sequence(literal('-'), naturals(to < 0n ? -to : 1n, -from)))
  if (to >= 0n) parts.push(naturals(from > 0n ? from : 0n, to))
  return choice(...parts)
}

/** The least whole number that a lower bound lets in. */
function above({ value, exclusive }: Bound): bigint {
  const whole = BigInt(Math.ceil(value))
  return exclusive && Number.isInteger(value) ? whole + 1n : whole
}
function below({ value, exclusive }: Bound): bigint {
  const whole = BigInt(Math.floor(value))
  return exclusive && Number.isInteger(value) ? whole - 1n : whole
}

/** 0 ≤ from ≤ to, without leading zeros. */
function naturals(from: bigint, to: bigint): Expression {
  const [low, high] = [from, to].map(String) as [string, string]
  if (low.length === high.length) return sameLength(low, high)
  const parts = [sameLength(low, '9'.repeat(low.length))]
  for (let length = low.length + 1; length < high.length; length++) {
    parts.push(sequence(digits(1, 9), anyDigits(length - 1, length - 1)))
  }
  parts.push(sameLength(`1${'0'.repeat(high.length - 1)}`, high))
  return choice(...parts)
}

function sameLength(low: string, high: string): Expression {
  if (low === '') return EMPTY
  const [a, b] = [Number(low[0]), Number(high[0])]
  const rest = low.length - 1
  if (/^0*$/.test(low.slice(1)) && /^9*$/.test(high.slice(1))) return sequence(digits(a, b), anyDigits(rest, rest))
  if (a === b) return sequence(digits(a, a), sameLength(low.slice(1), high.slice(1)))
  const parts = [sequence(digits(a, a), sameLength(low.slice(1), '9'.repeat(rest)))]
  if (b - a > 1) parts.push(sequence(digits(a + 1, b - 1), anyDigits(rest, rest)))
  parts.push(sequence(digits(b, b), sameLength('0'.repeat(rest), high.slice(1))))
  return choice(...parts)
}

/** A number within the bounds, without an exponent; NEVER if there is none. */
export function numberWithin({ least, greatest }: Bounds): Expression {
  const negated = (bound: Bound | undefined) => bound && { ...bound, value: -bound.value }
  const zero = { value: 0, exclusive: false }
  const upper = magnitudes(least && least.value > 0 ? least : least && least.value === 0 ? least : zero, greatest)
  const [low, high] = [negated(greatest), negated(least)]
  const lower = magnitudes(low && low.value > 0 ? low : low?.value === 0 && low.exclusive ? low : zero, high)
  const parts = [upper, ...(lower === NEVER ? [] : [sequence(literal('-'), lower)])]
  return choice(...parts.filter((part) => part !== NEVER))
}

/** least.value ≥ 0 */
function magnitudes(least: Bound, greatest: Bound | undefined): Expression {
  if (greatest && (greatest.value < least.value || greatest.value < 0)) return NEVER
  if (greatest && greatest.value === least.value && (greatest.exclusive || least.exclusive)) return NEVER
  const low = decimal(least.value)
  const high = greatest && decimal(greatest.value)
  const parts: Expression[] = []
  const fraction = (from: string | undefined, to: string | undefined) =>
    fractionWithin(from ?? '', to, {
      aboveLow: from === undefined,
      lowOut: least.exclusive,
      highOut: greatest?.exclusive ?? false,
    })
  if (high && low.whole === high.whole) {
    return sequence(literal(String(low.whole)), fraction(low.fraction, high.fraction))
  }
  parts.push(sequence(literal(String(low.whole)), fraction(low.fraction, undefined)))
  const last = high ? high.whole - 1n : 10n ** BigInt(MOST_DIGITS) - 1n
  if (low.whole + 1n <= last) {
    parts.push(
      sequence(naturals(low.whole + 1n, last), optional(sequence(literal('.'), anyDigits(1, MOST_FRACTION_DIGITS)))),
    )
  }
  if (high) parts.push(sequence(literal(String(high.whole)), fraction(undefined, high.fraction)))
  return choice(...parts)
}

/** 12.5 → 12 and '5' */
function decimal(value: number): { whole: bigint; fraction: string } {
  const [mantissa = '0', power = '0'] = value.toString().split('e')
  const [whole = '0', behind = ''] = mantissa.split('.')
  const shift = Number(power)
  const all = whole + behind
  const point = whole.length + shift
  if (point <= 0) return { whole: 0n, fraction: '0'.repeat(-point) + all }
  return { whole: BigInt(all.slice(0, point).padEnd(point, '0')), fraction: all.slice(point) }
}

interface Edges {
  /** Every fraction is above the lower bound. */
  readonly aboveLow: boolean
  readonly lowOut: boolean
  readonly highOut: boolean
}

/** What may stand behind the digits of the whole part: nothing, or a point and a fraction from `low` to `high`. */
function fractionWithin(low: string, high: string | undefined, { aboveLow, lowOut, highOut }: Edges): Expression {
  /** Digits from the i-th on; `onLow` and `onHigh`: those before it are the bound's own. */
  const from = (i: number, onLow: boolean, onHigh: boolean): Expression => {
    if (!onLow && !onHigh) return anyDigits(0, Math.max(1, MOST_FRACTION_DIGITS - i))
    const parts: Expression[] = endsWell(i, onLow, onHigh) ? [EMPTY] : []
    if (i < MOST_FRACTION_DIGITS) {
      const a = onLow ? Number(low[i] ?? '0') : 0
      const b = onHigh ? Number(high?.[i] ?? '0') : 9
      for (let digit = a; digit <= b; digit++) {
        const [nextLow, nextHigh] = [onLow && digit === a, onHigh && digit === b]
        if (nextLow || nextHigh) parts.push(sequence(digits(digit, digit), from(i + 1, nextLow, nextHigh)))
      }
      const [first, last] = [onLow ? a + 1 : a, onHigh ? b - 1 : b]
      if (first <= last) parts.push(sequence(digits(first, last), from(i + 1, false, false)))
    }
    return choice(...parts)
  }
  /** Whether the number may end before the i-th digit. */
  const endsWell = (i: number, onLow: boolean, onHigh: boolean): boolean => {
    const lowReached = !onLow || (/^0*$/.test(low.slice(i)) && !lowOut)
    const highKept = !onHigh || !highOut || !/^0*$/.test((high ?? '').slice(i))
    return lowReached && highKept
  }
  const [onLow, onHigh] = [!aboveLow, high !== undefined]
  const behind = from(0, onLow, onHigh)
  const point = sequence(literal('.'), nonEmpty(behind))
  return endsWell(0, onLow, onHigh) ? optional(point) : point
}

/** The same, but for the empty text. */
function nonEmpty(expression: Expression): Expression {
  if (expression.kind === 'choice') return choice(...expression.options.filter((option) => option !== EMPTY))
  return expression.kind === 'repeat' && expression.min === 0 ? { ...expression, min: 1 } : expression
}

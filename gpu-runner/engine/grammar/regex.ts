/**
 * Regular expressions (ECMA-262, with the flags `u` and `s` left to the grammar around) as grammars. Groups do not
 * capture, lazy quantifiers match what greedy ones do. Look-around, back references, word boundaries and Unicode
 * properties are refused; `^` and `$` stand at the ends alone.
 */
import {
  ANY_CHARACTER,
  choice,
  EMPTY,
  type Expression,
  LAST_CODE_POINT,
  minus,
  type Ranges,
  repeat,
  sequence,
  union,
} from './expression.ts'
import { GrammarError } from './grammar-error.ts'

const DIGITS: Ranges = [[0x30, 0x39]]
const WORD: Ranges = union([
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
])
const SPACE: Ranges = union([
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
])
const LINE_ENDS: Ranges = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]
const not = (ranges: Ranges) => minus(ANY_CHARACTER, ranges)
const CLASSES: Readonly<Record<string, Ranges>> = {
  d: DIGITS,
  D: not(DIGITS),
  w: WORD,
  W: not(WORD),
  s: SPACE,
  S: not(SPACE),
}
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, '0': 0 }
const MOST_COUNT = 100_000
const MOST_DEPTH = 100

export interface RegexOptions {
  /** One character of the ranges, as the grammar writes it. */
  readonly character: (ranges: Ranges) => Expression
  /** The whole text has to match; else a part of it, unless the expression is anchored. */
  readonly whole: boolean
}

/** @throws GrammarError `invalid` or `unsupported`, naming the place */
export function regexExpression(pattern: string, { character, whole }: RegexOptions): Expression {
  const source = [...pattern]
  let at = 0
  let depth = 0
  const anything = repeat(character(ANY_CHARACTER), 0, Number.POSITIVE_INFINITY)

  const fail = (code: 'invalid' | 'unsupported', what: string): GrammarError =>
    new GrammarError(code, `the regular expression has ${what} at character ${at}`)
  const peek = (text: string) => source.slice(at, at + text.length).join('') === text
  const take = (text: string): boolean => {
    if (!peek(text)) return false
    at += text.length
    return true
  }

  const alternatives = (outer: boolean): Expression => {
    const options = [alternative(outer)]
    while (take('|')) options.push(alternative(outer))
    return choice(...options)
  }

  const alternative = (outer: boolean): Expression => {
    const parts: Expression[] = []
    const begins = outer && take('^')
    let ends = false
    while (at < source.length && !peek('|') && !peek(')')) {
      if (outer && peek('$') && (at + 1 === source.length || source[at + 1] === '|')) {
        at++
        ends = true
      } else parts.push(quantified())
    }
    const before = outer && !whole && !begins ? [anything] : []
    const after = outer && !whole && !ends ? [anything] : []
    return sequence(...before, ...parts, ...after)
  }

  const quantified = (): Expression => {
    const part = atom()
    const counts = quantifier()
    if (!counts) return part
    take('?')
    if (quantifier()) throw fail('invalid', 'a quantifier of a quantifier')
    return repeat(part, counts[0], counts[1])
  }

  const quantifier = (): readonly [number, number] | undefined => {
    if (take('*')) return [0, Number.POSITIVE_INFINITY]
    if (take('+')) return [1, Number.POSITIVE_INFINITY]
    if (take('?')) return [0, 1]
    if (!peek('{')) return undefined
    const counts = /^\{(\d{1,9})(,(\d{1,9})?)?\}/.exec(source.slice(at, at + 24).join(''))
    if (!counts) throw fail('invalid', 'a brace that is no quantifier')
    const min = Number(counts[1])
    const max = counts[2] === undefined ? min : counts[3] === undefined ? Number.POSITIVE_INFINITY : Number(counts[3])
    if (max < min) throw fail('invalid', 'a quantifier whose bounds are in the wrong order')
    if (min > MOST_COUNT || (max !== Number.POSITIVE_INFINITY && max > MOST_COUNT)) {
      throw new GrammarError('too_large', `the regular expression has a count over ${MOST_COUNT} at character ${at}`)
    }
    at += counts[0].length
    return [min, max]
  }

  const atom = (): Expression => {
    if (peek('(?=') || peek('(?!') || peek('(?<=') || peek('(?<!')) throw fail('unsupported', 'look-around')
    if (take('(')) return group()
    if (take('[')) return character(bracket())
    if (take('.')) return character(not(LINE_ENDS))
    if (peek('^') || peek('$')) throw fail('unsupported', `${source[at]} inside, not at an end,`)
    if (peek('*') || peek('+') || peek('?') || peek('{')) throw fail('invalid', 'a quantifier of nothing')
    if (peek(']') || peek('}')) throw fail('invalid', `an unpaired ${source[at]}`)
    if (take('\\')) return character(escaped())
    const point = (source[at++] as string).codePointAt(0) as number
    return character([[point, point]])
  }

  const group = (): Expression => {
    if (++depth > MOST_DEPTH)
      throw new GrammarError('too_large', `the regular expression nests over ${MOST_DEPTH} deep`)
    if (take('?')) {
      const name = /^<[A-Za-z_$][\w$]{0,60}>/.exec(source.slice(at, at + 64).join(''))
      if (name) at += name[0].length
      else if (!take(':')) throw fail('unsupported', 'a group of an unknown kind')
    }
    const inner = peek(')') ? EMPTY : alternatives(false)
    if (!take(')')) throw fail('invalid', 'a group without an end')
    depth--
    return inner
  }

  /** What follows a backslash. */
  const escaped = (): Ranges => {
    const letter = source[at++]
    if (letter === undefined) throw fail('invalid', 'a backslash at its end')
    const known = CLASSES[letter]
    if (known) return known
    const control = CONTROLS[letter]
    if (control !== undefined) return [[control, control]]
    if (letter === 'x' || letter === 'u') return point(letter)
    if (letter === 'p' || letter === 'P') throw fail('unsupported', 'a Unicode property')
    if (letter === 'b' || letter === 'B') throw fail('unsupported', 'a word boundary')
    if (/[1-9k]/.test(letter)) throw fail('unsupported', 'a back reference')
    if (/[A-Za-z]/.test(letter)) throw fail('invalid', `an unknown escape \\${letter}`)
    const own = letter.codePointAt(0) as number
    return [[own, own]]
  }

  const point = (letter: 'x' | 'u'): Ranges => {
    const form = letter === 'x' ? /^([\dA-Fa-f]{2})/ : /^(?:([\dA-Fa-f]{4})|\{([\dA-Fa-f]{1,6})\})/
    const found = form.exec(source.slice(at, at + 8).join(''))
    const value = Number.parseInt(found?.[1] ?? found?.[2] ?? 'x', 16)
    if (!found || !(value <= LAST_CODE_POINT)) throw fail('invalid', `an escape \\${letter} without its digits`)
    at += found[0].length
    return [[value, value]]
  }

  const bracket = (): Ranges => {
    const negated = take('^')
    let ranges: Ranges = []
    while (!peek(']')) {
      if (at >= source.length) throw fail('invalid', 'a class without an end')
      const from = member()
      if (peek('-') && source[at + 1] !== ']' && at + 1 < source.length) {
        at++
        const to = member()
        const [a, b] = [single(from), single(to)]
        if (a > b) throw fail('invalid', 'a range in the wrong order')
        ranges = [...ranges, [a, b]]
      } else ranges = [...ranges, ...from]
    }
    at++
    const all = union(ranges)
    return negated ? not(all) : all
  }

  const member = (): Ranges => {
    if (take('\\')) {
      if (take('b')) return [[8, 8]]
      if (take('-')) return [[0x2d, 0x2d]]
      return escaped()
    }
    const own = (source[at++] as string).codePointAt(0) as number
    return [[own, own]]
  }

  const single = (ranges: Ranges): number => {
    const [range] = ranges
    if (ranges.length !== 1 || !range || range[0] !== range[1]) throw fail('invalid', 'a class as the end of a range')
    return range[0]
  }

  const all = alternatives(true)
  if (at < source.length) throw fail('invalid', 'an unpaired )')
  return all
}

/** JSON (RFC 8259) as grammars: texts, numbers, any value. White space is bounded, as a small model may go on with it. */
import {
  ANY_CHARACTER,
  character,
  choice,
  type Expression,
  intersection,
  literal,
  minus,
  optional,
  type Ranges,
  repeat,
  rule,
  sequence,
} from './expression.ts'

/** Indentation of a line, and digits of a number: JavaScript writes whole numbers with up to 21. */
const MOST_INDENTATION = 24
const MOST_DIGITS = 21
const MOST_FRACTION_DIGITS = 25
const MOST_EXPONENT_DIGITS = 3

const CONTROLS: Ranges = [[0, 0x1f]]
const QUOTE: Ranges = [[0x22, 0x22]]
const BACKSLASH: Ranges = [[0x5c, 0x5c]]
const ESCAPED: Ranges = [...CONTROLS, ...QUOTE, ...BACKSLASH]
const PLAIN = minus(ANY_CHARACTER, ESCAPED)
const LAST_ASCII = 0x7f
const ASCII: Ranges = [[0, LAST_ASCII]]
const SHORT_ESCAPES = new Map([
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x22, '\\"'],
  [0x5c, '\\\\'],
])

const DIGIT = character([[0x30, 0x39]])
const NONZERO = character([[0x31, 0x39]])
const HEX = character([
  [0x30, 0x39],
  [0x41, 0x46],
  [0x61, 0x66],
])

/** Names of the rules that `JSON_RULES` has. */
const VALUE = '#value'
const OBJECT = '#object'
const ARRAY = '#array'
const NUMBER = '#number'
const INTEGER = '#integer'
const CHARACTER = '#character'
const TEXT = '#text'
const SPACE = '#space'
const WIDE = '#wide'
const REST_OF_NAME = '#rest of name'

/** What may stand between the parts of an object or a list: nothing, a space, or a line's end and its indentation. */
export const space = rule(SPACE)
/** Any character of a text, as it is or escaped. */
export const textCharacter = rule(CHARACTER)
export const anyText = rule(TEXT)
export const anyValue = rule(VALUE)
export const anyObject = rule(OBJECT)
export const anyList = rule(ARRAY)

export const comma = sequence(literal(','), space)
export const colon = sequence(literal(':'), optional(literal(' ')))
export const integer = rule(INTEGER)
export const number = rule(NUMBER)
const digits = sequence(
  optional(literal('-')),
  choice(literal('0'), sequence(NONZERO, repeat(DIGIT, 0, MOST_DIGITS - 1))),
)
const fraction = sequence(literal('.'), repeat(DIGIT, 1, MOST_FRACTION_DIGITS))
const exponent = sequence(
  character([
    [0x45, 0x45],
    [0x65, 0x65],
  ]),
  optional(
    character([
      [0x2b, 0x2b],
      [0x2d, 0x2d],
    ]),
  ),
  repeat(DIGIT, 1, MOST_EXPONENT_DIGITS),
)
export const boolean = choice(literal('true'), literal('false'))
export const nothing = literal('null')

/** One character of the ranges within a text: escaped where it has to be. */
export function textCharacterOf(ranges: Ranges): Expression {
  const escapes = intersection(ranges, ESCAPED).flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, i) => {
      const point = from + i
      return literal(SHORT_ESCAPES.get(point) ?? `\\u${point.toString(16).padStart(4, '0')}`)
    }),
  )
  return choice(character(intersection(ranges, PLAIN)), ...escapes)
}

/**
 * A name as a text without escapes, other than these.
 * @param shared makes a rule of what has the same description wherever it stands
 */
export function nameExcept(
  names: readonly string[],
  shared: (description: string, make: () => Expression) => Expression,
): Expression {
  /** A character that is none of these, and any others behind it. */
  const restExcept = (points: readonly number[]): Expression => {
    const out = points.map((point) => [point, point] as const)
    const ascii = character(minus(intersection(PLAIN, ASCII), out))
    const wide = points.some((point) => point > LAST_ASCII)
    const first = choice(ascii, wide ? character(minus(minus(PLAIN, ASCII), out)) : rule(WIDE))
    return sequence(first, rule(REST_OF_NAME))
  }
  const body = (taken: readonly string[], from: number): Expression => {
    const nexts = Map.groupBy(
      taken.filter((name) => name.length > from),
      (name) => name.codePointAt(from) as number,
    )
    const points = [...nexts.keys()].sort((a, b) => a - b)
    return choice(
      ...(taken.some((name) => name.length === from) ? [] : [sequence()]),
      shared(`name not on with ${points}`, () => restExcept(points)),
      ...[...nexts].map(([point, group]) =>
        sequence(textCharacterOf([[point, point]]), body(group, from + String.fromCodePoint(point).length)),
      ),
    )
  }
  return sequence(literal('"'), body(names, 0), literal('"'))
}

/** `item`, so many times, between commas. */
export function listOf(item: Expression, min: number, max: number): Expression {
  const more = repeat(sequence(comma, item), Math.max(0, min - 1), max - 1)
  if (max === 0) return sequence()
  return min === 0 ? optional(sequence(item, more)) : sequence(item, more)
}

export const inBrackets = (open: string, inner: Expression, close: string): Expression =>
  sequence(literal(open), space, inner, space, literal(close))

const MANY = Number.POSITIVE_INFINITY
const HIGH_SURROGATE = sequence(
  literal('d'),
  character([
    [0x38, 0x39],
    [0x61, 0x62],
  ]),
  HEX,
  HEX,
)
const LOW_SURROGATE = sequence(literal('d'), character([[0x63, 0x66]]), HEX, HEX)
/** Four hexadecimal digits that are no half of a pair. */
const CODE_UNIT = choice(
  sequence(
    character([
      [0x30, 0x39],
      [0x41, 0x43],
      [0x45, 0x46],
      [0x61, 0x63],
      [0x65, 0x66],
    ]),
    HEX,
    HEX,
    HEX,
  ),
  sequence(
    character([
      [0x44, 0x44],
      [0x64, 0x64],
    ]),
    character([[0x30, 0x37]]),
    HEX,
    HEX,
  ),
)

/** What the expressions above refer to. */
export const JSON_RULES: ReadonlyMap<string, Expression> = new Map([
  [SPACE, choice(sequence(), literal(' '), sequence(literal('\n'), repeat(literal(' '), 0, MOST_INDENTATION)))],
  [
    CHARACTER,
    choice(
      character(PLAIN),
      sequence(
        literal('\\'),
        choice(
          character([...'"\\/bfnrt'].map((c) => [c.charCodeAt(0), c.charCodeAt(0)] as const)),
          sequence(literal('u'), choice(CODE_UNIT, sequence(HIGH_SURROGATE, literal('\\u'), LOW_SURROGATE))),
        ),
      ),
    ),
  ],
  [INTEGER, digits],
  [NUMBER, sequence(integer, optional(fraction), optional(exponent))],
  [WIDE, character(minus(ANY_CHARACTER, ASCII))],
  [REST_OF_NAME, repeat(character(PLAIN), 0, MANY)],
  [TEXT, sequence(literal('"'), repeat(textCharacter, 0, MANY), literal('"'))],
  [ARRAY, inBrackets('[', listOf(anyValue, 0, MANY), ']')],
  [OBJECT, inBrackets('{', listOf(sequence(anyText, colon, anyValue), 0, MANY), '}')],
  [VALUE, choice(anyObject, anyList, anyText, number, boolean, nothing)],
])

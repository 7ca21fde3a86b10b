/**
 * JSON Schema (draft 2020-12, https://json-schema.org/draft/2020-12) as a grammar of the texts that are valid.
 *
 * Members of an object come in the order of `properties`, others behind them. `oneOf` is taken as `anyOf`. What no grammar
 * can hold to (`not`, `uniqueItems`, `multipleOf`, …) is refused in strict mode, and else left out.
 */
import {
  choice,
  EMPTY,
  type Expression,
  type Grammar,
  literal,
  optional,
  repeat,
  rule,
  sequence,
} from './expression.ts'
import { FORMATS } from './formats.ts'
import { GrammarError } from './grammar-error.ts'
import {
  anyList,
  anyObject,
  anyText,
  anyValue,
  boolean,
  colon,
  comma,
  inBrackets,
  integer,
  JSON_RULES,
  listOf,
  nameExcept,
  nothing,
  number,
  textCharacter,
  textCharacterOf,
} from './json.ts'
import { type Bound, integerWithin, numberWithin } from './number-range.ts'
import { MOST_NODES } from './program.ts'
import { regexExpression } from './regex.ts'

type Schema = Readonly<Record<string, unknown>>

/** Schemas looked at, a referred one once. */
const MOST_SCHEMAS = 10_000
/** Of one `allOf`. */
const MOST_PARTS = 100
/** About as many nodes as the bounds of a number, and a character of a pattern, take to make. */
const NUMBER_COST = 250
const PATTERN_COST = 4
const MOST_ENUM_VALUES = 5_000
const MOST_ITEMS = 100_000
const MOST_DEPTH = 100
/** Of one object: all, and those that may be left out. */
const MOST_PROPERTIES = 5_000
const MOST_OPTIONAL = 1_000
/** Of an object that may have others too. */
const MOST_BESIDE_OTHERS = 500

const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'] as const
type TypeName = (typeof TYPES)[number]

/** Keywords that restrict nothing. */
const ANNOTATIONS = new Set([
  '$schema',
  '$id',
  '$anchor',
  '$comment',
  '$defs',
  '$vocabulary',
  'definitions',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
])
/** By the type whose values they restrict. */
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
}
const COMBINING = new Set(['type', 'enum', 'const', '$ref', 'anyOf', 'oneOf', 'allOf'])
const KNOWN = new Set([...ANNOTATIONS, ...COMBINING, ...Object.values(KEYWORDS).flat()])

export interface SchemaGrammarOptions {
  /** What cannot be held to is refused. */
  readonly strict: boolean
  /** What the names of its rules begin with, where several grammars become one. */
  readonly scope?: string
}

/** @throws GrammarError with the JSON pointer of what is wrong, not known or too much */
export function schemaGrammar(root: unknown, { strict, scope = '' }: SchemaGrammarOptions): Grammar {
  const rules = new Map(JSON_RULES)
  const referred = new Set<string>()
  let schemas = 0
  let spent = 0
  let ruleCount = 0

  const fail = (code: 'invalid' | 'unsupported' | 'too_large' | 'unsatisfiable', path: string, what: string) =>
    new GrammarError(code, `${path === '' ? 'the schema' : `the schema at ${path}`} ${what}`)

  /** What is surely too large is refused before anything is made of it. */
  const spend = (nodes: number): void => {
    spent += nodes
    if (spent > MOST_NODES) throw fail('too_large', '', `takes over ${MOST_NODES} states`)
  }

  /** The expression under a name, for where it is used more than once. */
  const named = (expression: Expression): Expression => {
    if (expression.kind === 'rule') return expression
    const name = `${scope}${++ruleCount}`
    rules.set(name, expression)
    return rule(name)
  }

  /** The same for all that is described alike, whoever else compiles a schema into these rules. */
  const shared = (description: string, make: () => Expression): Expression => {
    const name = `#${description}`
    if (!rules.has(name)) rules.set(name, make())
    return rule(name)
  }

  const compile = (schema: unknown, path: string, depth: number): Expression => {
    if (++schemas > MOST_SCHEMAS) throw fail('too_large', '', `has over ${MOST_SCHEMAS} schemas in it`)
    if (depth > MOST_DEPTH) throw fail('too_large', path, `is nested over ${MOST_DEPTH} deep`)
    if (schema === true) return anyValue
    if (schema === false) throw fail('unsatisfiable', path, 'is false: no value is valid')
    if (!isObject(schema)) throw fail('invalid', path, `is ${kindOf(schema)}, not an object`)
    if (strict) {
      const unknown = Object.keys(schema).find((key) => !KNOWN.has(key))
      if (unknown !== undefined)
        throw fail('unsupported', path, `has the keyword ${show(unknown)}, which is not supported`)
    }
    if ('$ref' in schema) return reference(schema, path, depth)
    if ('allOf' in schema) return compile(merged(schema, path), path, depth + 1)
    for (const key of ['anyOf', 'oneOf'] as const) if (key in schema) return alternatives(schema, key, path, depth)
    if ('const' in schema) return exactly(schema.const, `${path}/const`, 0)
    if ('enum' in schema) return enumeration(schema, path)
    const types = typesOf(schema, path)
    return types === undefined ? anyValue : choice(...types.map((type) => ofType(type, schema, path, depth)))
  }

  const reference = (schema: Schema, path: string, depth: number): Expression => {
    const target = schema.$ref
    if (typeof target !== 'string') throw fail('invalid', `${path}/$ref`, `is ${kindOf(target)}, not a text`)
    const others = Object.keys(schema).filter((key) => key !== '$ref' && !ANNOTATIONS.has(key))
    if (others.length > 0 && strict) throw fail('unsupported', path, `has ${show(others[0])} beside $ref`)
    if (!/^#(\/|$)/.test(target))
      throw fail('unsupported', `${path}/$ref`, `refers to ${show(target)}, outside the schema`)
    const name = `${scope}ref ${target}`
    if (!referred.has(name)) {
      referred.add(name)
      rules.set(name, compile(resolve(target, path), target.slice(1), depth + 1))
    }
    return rule(name)
  }

  const resolve = (pointer: string, path: string): unknown => {
    let at: unknown = root
    for (const part of pointer.split('/').slice(1)) {
      const key = decodeURIComponentSafely(part).replaceAll('~1', '/').replaceAll('~0', '~')
      const found = isObject(at) || Array.isArray(at) ? Object.getOwnPropertyDescriptor(at, key)?.value : undefined
      if (found === undefined) throw fail('invalid', `${path}/$ref`, `refers to ${show(pointer)}, which is not there`)
      at = found
    }
    return at
  }

  /** The schema with what its `allOf` says in it. */
  const merged = (schema: Schema, path: string): Schema => {
    const { allOf, ...base } = schema
    const parts = listAt(allOf, `${path}/allOf`)
    if (parts.length > MOST_PARTS) throw fail('too_large', `${path}/allOf`, `has over ${MOST_PARTS} parts`)
    return parts.reduce<Schema>((all, part, i) => merge(all, deref(part, `${path}/allOf/${i}`), path), base)
  }

  const deref = (schema: unknown, path: string): Schema => {
    let found = schema
    for (let i = 0; isObject(found) && typeof found.$ref === 'string'; i++) {
      if (i > MOST_DEPTH) throw fail('unsupported', path, 'refers to itself without anything between')
      found = resolve(found.$ref, path)
    }
    if (!isObject(found)) throw fail('unsupported', path, `is ${kindOf(found)} and cannot be merged`)
    return 'allOf' in found ? merged(found, path) : found
  }

  const merge = (a: Schema, b: Schema, path: string): Schema => {
    const result: Record<string, unknown> = { ...a }
    for (const [key, value] of Object.entries(b)) {
      const before = Object.hasOwn(result, key) ? result[key] : undefined
      if (before === undefined || ANNOTATIONS.has(key)) set(result, key, value)
      else if (key === 'required') result.required = [...new Set([...listAt(before, path), ...listAt(value, path)])]
      else if (key === 'properties' && isObject(before) && isObject(value)) {
        const both = Object.keys(value).find((name) => Object.hasOwn(before, name) && !same(before[name], value[name]))
        if (both !== undefined) throw fail('unsupported', path, `says two things of the property ${show(both)}`)
        result.properties = { ...before, ...value }
      } else if (!same(before, value)) throw fail('unsupported', path, `says two things with ${show(key)}`)
    }
    return result
  }

  const alternatives = (schema: Schema, key: 'anyOf' | 'oneOf', path: string, depth: number): Expression => {
    const { [key]: options, ...base } = schema
    const own = Object.keys(base).some((name) => !ANNOTATIONS.has(name))
    return choice(
      ...listAt(options, `${path}/${key}`).map((option, i) => {
        const at = `${path}/${key}/${i}`
        return own ? compile(merge(base, deref(option, at), at), at, depth + 1) : compile(option, at, depth + 1)
      }),
    )
  }

  const enumeration = (schema: Schema, path: string): Expression => {
    const values = listAt(schema.enum, `${path}/enum`)
    if (values.length > MOST_ENUM_VALUES) throw fail('too_large', `${path}/enum`, `has over ${MOST_ENUM_VALUES} values`)
    const types = typesOf({ type: schema.type }, path)
    const fitting = types ? values.filter((value) => types.some((type) => isOfType(value, type))) : values
    if (fitting.length === 0) throw fail('unsatisfiable', `${path}/enum`, 'has no value that is valid')
    return choice(...fitting.map((value, i) => exactly(value, `${path}/enum/${i}`, 0)))
  }

  /** As JSON. */
  const text = (value: unknown): Expression => {
    const written = JSON.stringify(value)
    spend(written.length)
    return literal(written)
  }

  /** One value, with the spaces of any other. */
  const exactly = (value: unknown, path: string, depth: number): Expression => {
    if (depth > MOST_DEPTH) throw fail('too_large', path, `is nested over ${MOST_DEPTH} deep`)
    if (Array.isArray(value)) {
      const items = value.map((item, i) => exactly(item, `${path}/${i}`, depth + 1))
      return inBrackets('[', separated(items), ']')
    }
    if (!isObject(value)) return text(value)
    const members = Object.entries(value).map(([name, member]) =>
      sequence(text(name), colon, exactly(member, path, depth + 1)),
    )
    return inBrackets('{', separated(members), '}')
  }

  const ofType = (type: TypeName, schema: Schema, path: string, depth: number): Expression => {
    switch (type) {
      case 'object':
        return ofObject(schema, path, depth)
      case 'array':
        return ofArray(schema, path, depth)
      case 'string':
        return ofText(schema, path)
      case 'number':
      case 'integer':
        return ofNumber(type, schema, path)
      case 'boolean':
        return boolean
      case 'null':
        return nothing
    }
  }

  const ofObject = (schema: Schema, path: string, depth: number): Expression => {
    const properties = schema.properties ?? {}
    if (!isObject(properties)) throw fail('invalid', `${path}/properties`, `is ${kindOf(properties)}, not an object`)
    const required = new Set(schema.required === undefined ? [] : listAt(schema.required, `${path}/required`))
    const more = schema.additionalProperties ?? true
    const { min, max } = counts(schema, 'Properties', path)
    const names = Object.keys(properties)
    if (names.length === 0 && required.size === 0 && more === true && min === 0 && max === Number.POSITIVE_INFINITY) {
      return anyObject
    }
    const bounded = min > 0 || max !== Number.POSITIVE_INFINITY
    if (bounded && names.length + required.size > 0 && strict) {
      throw fail('unsupported', path, 'counts properties that it names')
    }
    const extra = [...required].filter((name) => typeof name === 'string' && !Object.hasOwn(properties, name))
    if (extra.length > 0 && more === false) {
      throw fail('unsatisfiable', `${path}/required`, `names ${show(extra[0])}, which is not allowed`)
    }
    const members = [...names, ...(extra as string[])].map((name) => {
      const own = Object.hasOwn(properties, name) ? properties[name] : more
      const at = `${path}/properties/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
      const value = !required.has(name) && own === false ? undefined : compile(own, at, depth + 1)
      return {
        required: required.has(name),
        expression: value && sequence(text(name), colon, value),
      }
    })
    const left = members.filter(({ required }) => !required).length
    if (members.length > MOST_PROPERTIES) throw fail('too_large', path, `has over ${MOST_PROPERTIES} properties`)
    if (left > MOST_OPTIONAL)
      throw fail('too_large', path, `has over ${MOST_OPTIONAL} properties that are not required`)
    if (more !== false && members.length > MOST_BESIDE_OTHERS) {
      throw fail('too_large', path, `has over ${MOST_BESIDE_OTHERS} properties, and others that are not named`)
    }
    const present = members.flatMap(({ expression, ...rest }) => (expression ? [{ ...rest, expression }] : []))
    const others =
      more === false
        ? undefined
        : named(sequence(nameExcept(names, shared), colon, compile(more, `${path}/additionalProperties`, depth + 1)))
    if (present.length === 0) {
      return inBrackets('{', others ? listOf(others, min, max) : EMPTY, '}')
    }
    return inBrackets('{', membersOf(present, others), '}')
  }

  /** Members in their order, those that are not required here or not, then any number of others. */
  const membersOf = (
    members: readonly { required: boolean; expression: Expression }[],
    others: Expression | undefined,
  ): Expression => {
    const rest = others ? repeat(sequence(comma, others), 0, Number.POSITIVE_INFINITY) : EMPTY
    const following = ({ required, expression }: (typeof members)[number]) => {
      const next = sequence(comma, expression)
      return required ? next : optional(next)
    }
    const [first] = members
    if (first?.required) return sequence(first.expression, ...members.slice(1).map(following), rest)
    // Any member up to the first required one may be the first: what follows them is shared, from the last one on.
    const firstRequired = members.findIndex(({ required }) => required)
    const starts: Expression[] = others && firstRequired < 0 ? [sequence(others, rest)] : []
    let after = rest
    for (let i = members.length - 1; i >= 0; i--) {
      const { required, expression } = members[i] as (typeof members)[number]
      const member = { required, expression: named(expression) }
      if (firstRequired < 0 || i <= firstRequired) starts.unshift(sequence(member.expression, after))
      after = named(sequence(following(member), after))
    }
    return firstRequired < 0 ? optional(choice(...starts)) : choice(...starts)
  }

  const ofArray = (schema: Schema, path: string, depth: number): Expression => {
    const { min, max } = counts(schema, 'Items', path)
    const first = schema.prefixItems === undefined ? [] : listAt(schema.prefixItems, `${path}/prefixItems`)
    const items = schema.items ?? true
    if (first.length === 0) {
      if (items === true && min === 0 && max === Number.POSITIVE_INFINITY) return anyList
      if (items === false) return inBrackets('[', EMPTY, ']')
      return inBrackets('[', listOf(named(compile(items, `${path}/items`, depth + 1)), min, max), ']')
    }
    const fixed = first.slice(0, max).map((item, i) => compile(item, `${path}/prefixItems/${i}`, depth + 1))
    const further = Math.max(0, max - fixed.length)
    const tail =
      items === false || further === 0
        ? EMPTY
        : repeat(
            named(sequence(comma, compile(items, `${path}/items`, depth + 1))),
            Math.max(0, min - fixed.length),
            further,
          )
    if (items === false && min > fixed.length) throw fail('unsatisfiable', path, `has no items for minItems = ${min}`)
    // From the last one on: each may be left out, with all behind it, past the least number.
    const list = fixed.reduceRight<Expression>((behind, item, i) => {
      const own = sequence(...(i > 0 ? [comma] : []), item, behind)
      return i >= min ? optional(own) : own
    }, tail)
    return inBrackets('[', list, ']')
  }

  const ofText = (schema: Schema, path: string): Expression => {
    const { min, max } = counts(schema, 'Length', path)
    const counted = min > 0 || max !== Number.POSITIVE_INFINITY
    const { pattern, format } = schema
    if (pattern !== undefined) {
      if (typeof pattern !== 'string') throw fail('invalid', `${path}/pattern`, `is ${kindOf(pattern)}, not a text`)
      if (strict && (counted || format !== undefined)) {
        throw fail('unsupported', path, 'has a pattern beside a length or a format')
      }
      try {
        return shared(`pattern ${pattern}`, () => {
          spend(PATTERN_COST * pattern.length)
          const inner = regexExpression(pattern, { character: textCharacterOf, whole: false })
          return sequence(literal('"'), inner, literal('"'))
        })
      } catch (error) {
        if (!(error instanceof GrammarError)) throw error
        if (strict || error.code === 'invalid')
          throw fail(error.code, `${path}/pattern`, `is refused: ${error.message}`)
      }
    }
    if (format !== undefined) {
      const known = typeof format === 'string' ? FORMATS.get(format) : undefined
      if (strict && !known) throw fail('unsupported', `${path}/format`, `is ${show(format)}, which is not supported`)
      if (strict && counted) throw fail('unsupported', path, 'has a format beside a length')
      if (known) {
        return shared(`format ${format}`, () => {
          const inner = regexExpression(known, { character: textCharacterOf, whole: true })
          return sequence(literal('"'), inner, literal('"'))
        })
      }
    }
    if (!counted) return anyText
    return shared(`text ${min} ${max}`, () => sequence(literal('"'), repeat(textCharacter, min, max), literal('"')))
  }

  const ofNumber = (type: 'number' | 'integer', schema: Schema, path: string): Expression => {
    const least = bound(schema, 'minimum', 'exclusiveMinimum', path)
    const greatest = bound(schema, 'maximum', 'exclusiveMaximum', path)
    if (!least && !greatest) return type === 'integer' ? integer : number
    return shared(`${type} ${JSON.stringify([least, greatest])}`, () => {
      spend(NUMBER_COST)
      const within = type === 'integer' ? integerWithin({ least, greatest }) : numberWithin({ least, greatest })
      if (within.kind === 'choice' && within.options.length === 0) {
        throw fail('unsatisfiable', path, 'has bounds with no number between them')
      }
      return within
    })
  }

  /** The stricter of an inclusive and an exclusive bound. */
  const bound = (schema: Schema, inclusive: string, exclusive: string, path: string): Bound | undefined => {
    const read = (key: string): number | undefined => {
      const value = schema[key]
      if (value === undefined || typeof value === 'boolean') return undefined
      if (typeof value !== 'number') throw fail('invalid', `${path}/${key}`, `is ${kindOf(value)}, not a number`)
      if (Math.abs(value) > Number.MAX_SAFE_INTEGER) throw fail('unsupported', `${path}/${key}`, 'is beyond 2^53')
      return value
    }
    const [a, b] = [read(inclusive), read(exclusive)]
    if (a === undefined) return b === undefined ? undefined : { value: b, exclusive: true }
    if (b === undefined) return { value: a, exclusive: schema[exclusive] === true }
    const exclusiveWins = inclusive === 'minimum' ? b >= a : b <= a
    return exclusiveWins ? { value: b, exclusive: true } : { value: a, exclusive: false }
  }

  const counts = (schema: Schema, what: 'Items' | 'Length' | 'Properties', path: string) => {
    const read = (key: string): number | undefined => {
      const value = schema[key]
      if (value === undefined) return undefined
      if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
        throw fail('invalid', `${path}/${key}`, `is ${show(value)}, not a whole number`)
      }
      return value
    }
    const min = read(`min${what}`) ?? 0
    const max = read(`max${what}`) ?? Number.POSITIVE_INFINITY
    if (min > max) throw fail('unsatisfiable', path, `has min${what} = ${min} over max${what} = ${max}`)
    if (min > MOST_ITEMS) throw fail('too_large', path, `has min${what} = ${min}, over ${MOST_ITEMS}`)
    // A bound that no answer reaches is none.
    return { min, max: max > MOST_ITEMS ? Number.POSITIVE_INFINITY : max }
  }

  /** Undefined: any type. */
  const typesOf = (schema: Schema, path: string): TypeName[] | undefined => {
    const { type } = schema
    if (type === undefined) {
      const restricted = Object.entries(KEYWORDS).filter(([, keys]) => keys.some((key) => key in schema))
      if (restricted.length === 0) return undefined
      // Keywords of one type say nothing of the others; what is meant is the type.
      return restricted.map(([name]) => name as TypeName)
    }
    const types = Array.isArray(type) ? type : [type]
    const wrong = types.find((name) => !TYPES.includes(name as TypeName))
    if (wrong !== undefined || types.length === 0)
      throw fail('invalid', `${path}/type`, `is ${show(wrong)}, which is no type`)
    // A whole number is a number.
    return types.filter((name) => name !== 'integer' || !types.includes('number')) as TypeName[]
  }

  const listAt = (value: unknown, path: string): readonly unknown[] => {
    if (!Array.isArray(value)) throw fail('invalid', path, `is ${kindOf(value)}, not a list`)
    return value
  }

  return { start: compile(root, '', 0), rules }
}

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Also where the name is `__proto__`. */
function set(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
}

const separated = (parts: readonly Expression[]): Expression =>
  sequence(...parts.flatMap((part, i) => (i === 0 ? [part] : [comma, part])))

function isOfType(value: unknown, type: TypeName): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'object') return isObject(value)
  if (type === 'array') return Array.isArray(value)
  return type === 'null' ? value === null : typeof value === type
}

const kindOf = (value: unknown): string => {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : value === undefined ? 'missing' : `a ${typeof value}`
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

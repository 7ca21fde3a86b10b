import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compileConstraint } from './grammar.ts'
import { GrammarError } from './grammar-error.ts'
import { automatonOf, matches, randomText, schema } from './testdata/matching.ts'

const valid = (of: unknown, ...texts: string[]) => {
  const automaton = automatonOf(schema(of))
  for (const text of texts) assert.ok(matches(automaton, text), `${text} is valid`)
}
const invalid = (of: unknown, ...texts: string[]) => {
  const automaton = automatonOf(schema(of))
  for (const text of texts) assert.ok(!matches(automaton, text), `${text} is not`)
}

describe('any value', () => {
  const any = automatonOf(schema({}))
  test('is what JSON.parse takes', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => matches(any, text)),
      { seed: 1, numRuns: 500 },
    )
    for (const text of [
      '{"a": [1, 2.50, -3e+10], "b": {}}',
      '{\n  "a": 1,\n  "b": [\n    true\n  ]\n}',
      '"\\u00e9\\ud83d\\ude00\\/"',
    ]) {
      assert.ok(matches(any, text), text)
      JSON.parse(text)
    }
  })
  test('is nothing else', () => {
    for (const text of [
      '',
      '01',
      '+1',
      '.5',
      '5.',
      '1e',
      '"a',
      "'a'",
      '{"a":1,}',
      '[1,]',
      '{a:1}',
      'nul',
      '"\\x"',
      '"\n"',
      '"\\ud800"',
      '"\\udc00x"',
      '[1 2]',
    ]) {
      assert.ok(!matches(any, text), text)
    }
  })
  test('does not go on with white space for ever', () => {
    assert.ok(!matches(any, `[${' '.repeat(40)}1]`))
    assert.ok(!matches(any, '[\n\n1]'))
  })
})

test('an object has its members in their order, those required all of them', () => {
  const of = {
    type: 'object',
    properties: { a: { type: 'integer' }, b: { type: 'string' }, c: { type: 'boolean' } },
    required: ['b'],
    additionalProperties: false,
  }
  valid(
    of,
    '{"a":1,"b":"x","c":true}',
    '{"b":"x"}',
    '{ "b": "x", "c": false }',
    '{"a": 1, "b": ""}',
    '{\n  "b": "x"\n}',
  )
  invalid(of, '{}', '{"a":1}', '{"b":"x","a":1}', '{"b":"x","d":1}', '{"b":1}', '{"b":"x",}', '{"b":"x"')
  const free = {
    type: 'object',
    properties: { a: { type: 'integer' }, b: { type: 'integer' } },
    additionalProperties: { type: 'boolean' },
  }
  valid(free, '{}', '{"a":1}', '{"b":1}', '{"a":1,"z":true}', '{"z":true,"ab":false}', '{"":true}')
  invalid(free, '{"a":true}', '{"z":true,"a":1}', '{"b":true}', '{"z":1}')
})

test('a list has as many items as it may', () => {
  const of = { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 3 }
  valid(of, '[1]', '[1, 2]', '[1,2,3]')
  invalid(of, '[]', '[1,2,3,4]', '[1,"2"]')
  const tuple = { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false, minItems: 1 }
  valid(tuple, '["a"]', '["a",1]')
  invalid(tuple, '[]', '["a",1,2]', '[1]')
  valid({ type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'null' } }, '[]', '["a",null,null]')
})

test('texts by length, pattern and format', () => {
  valid({ type: 'string', minLength: 2, maxLength: 3 }, '"ab"', '"a\\n"', '"é漢😀"', '"\\u0041b"')
  invalid({ type: 'string', minLength: 2, maxLength: 3 }, '"a"', '"abcd"')
  valid({ type: 'string', pattern: '^[A-Z]{2}$' }, '"AB"')
  invalid({ type: 'string', pattern: '^[A-Z]{2}$' }, '"A"', '"ABC"')
  valid({ type: 'string', pattern: 'x\\n"' }, '"ax\\n\\"b"')
  const formats: [string, string[], string[]][] = [
    ['date', ['2024-02-28', '1999-12-31'], ['2024-13-01', '2024-02-30', '2024-2-1']],
    ['time', ['23:59:59Z', '00:00:00.5+02:00'], ['24:00:00Z', '12:00']],
    ['date-time', ['2024-01-01T00:00:00Z'], ['2024-01-01 00:00:00Z']],
    ['email', ['a.b+c@example.com'], ['a@', '@b.com', 'a b@c.de']],
    ['ipv4', ['0.0.0.0', '255.249.199.9'], ['256.1.1.1', '1.2.3', '01.2.3.4']],
    ['ipv6', ['1:2:3:4:5:6:7:8', '::1', 'fe80::1'], ['1:2', 'g::1']],
    ['uuid', ['123e4567-e89b-12d3-a456-426614174000'], ['123e4567e89b12d3a456426614174000']],
    ['hostname', ['example.com', 'a'], ['-a', 'a..b']],
    ['uri', ['https://example.com/a?b=c'], ['example.com', 'ftp//x']],
    ['duration', ['P1Y2M', 'PT5M', 'P3W'], ['1Y', 'P']],
  ]
  for (const [format, good, bad] of formats) {
    valid({ type: 'string', format }, ...good.map((text) => JSON.stringify(text)))
    invalid({ type: 'string', format }, ...bad.map((text) => JSON.stringify(text)))
  }
})

test('whole numbers between bounds, each one', () => {
  for (const [from, to] of [
    [0, 0],
    [3, 17],
    [-5, 5],
    [-120, -7],
    [98, 1003],
    [-1, 0],
  ] as const) {
    const inclusive = automatonOf(schema({ type: 'integer', minimum: from, maximum: to }))
    const exclusive = automatonOf(schema({ type: 'integer', exclusiveMinimum: from - 1, exclusiveMaximum: to + 1 }))
    for (let n = -1100; n <= 1100; n++) {
      assert.equal(matches(inclusive, String(n)), n >= from && n <= to, `${n} in ${from}..${to}`)
      assert.equal(matches(exclusive, String(n)), n >= from && n <= to, `${n} in ${from}..${to}, exclusive`)
    }
  }
  valid({ type: 'integer', minimum: 5 }, '5', '10', '123456789012345')
  invalid({ type: 'integer', minimum: 5 }, '4', '-5', '05', '5.0')
  valid({ type: 'integer', maximum: -5 }, '-5', '-100')
})

test('numbers between bounds', () => {
  const bounds = fc.record({
    a: fc.integer({ min: -300, max: 300 }),
    b: fc.integer({ min: -300, max: 300 }),
    exclusive: fc.boolean(),
    scale: fc.constantFrom(1, 10, 100),
  })
  const numbers = fc.array(fc.integer({ min: -400, max: 400 }), { minLength: 5, maxLength: 20 })
  fc.assert(
    fc.property(bounds, numbers, ({ a, b, exclusive, scale }, all) => {
      const [low, high] = [Math.min(a, b) / scale, Math.max(a, b) / scale]
      if (low === high) return
      const of = exclusive
        ? { type: 'number', exclusiveMinimum: low, exclusiveMaximum: high }
        : { type: 'number', minimum: low, maximum: high }
      const automaton = automatonOf(schema(of))
      for (const n of [low, high, ...all.flatMap((x) => [x, x / 10, x / 100, x / 1000])]) {
        const within = exclusive ? n > low && n < high : n >= low && n <= high
        assert.equal(matches(automaton, String(n)), within, `${n} in ${low}..${high}${exclusive ? ', exclusive' : ''}`)
      }
    }),
    { seed: 1, numRuns: 150 },
  )
  valid({ type: 'number', minimum: 0, maximum: 1 }, '0', '1', '0.5', '0.05', '1.0', '1.000')
  invalid({ type: 'number', minimum: 0, maximum: 1 }, '1.01', '-0.1', '2', '1.', '.5')
})

test('enum, const, types, alternatives, references', () => {
  valid({ enum: ['a', 1, null, { x: [1] }] }, '"a"', '1', 'null', '{"x":[1]}', '{ "x": [1] }')
  invalid({ enum: ['a', 1] }, '"b"', '2')
  valid({ const: 'ab"' }, '"ab\\""')
  valid({ type: ['integer', 'null'] }, '1', 'null')
  valid({ anyOf: [{ type: 'integer' }, { type: 'string' }] }, '1', '"a"')
  valid(
    {
      allOf: [
        { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
        { properties: { b: { type: 'null' } }, required: ['b'] },
      ],
    },
    '{"a":1,"b":null}',
  )
  const list = {
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: { value: { type: 'integer' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
        required: ['value', 'next'],
        additionalProperties: false,
      },
    },
  }
  valid(list, '{"value":1,"next":{"value":2,"next":null}}')
  invalid(list, '{"value":1,"next":{"value":2}}')
  valid(
    { type: 'object', properties: { children: { type: 'array', items: { $ref: '#' } } }, additionalProperties: false },
    '{"children":[{"children":[]},{}]}',
  )
})

test('names that JavaScript has a meaning for are names', () => {
  const of = JSON.parse(
    '{"type":"object","properties":{"__proto__":{"type":"integer"},"constructor":{"type":"null"}},"required":["__proto__","constructor"],"additionalProperties":false}',
  ) as unknown
  valid(of, '{"__proto__":1,"constructor":null}')
  invalid(of, '{}', '{"constructor":null}')
})

test('what cannot be held to is refused in strict mode, else left out', () => {
  const refused: [unknown, RegExp][] = [
    [{ type: 'string', not: {} }, /keyword "not"/],
    [{ type: 'array', uniqueItems: true }, /uniqueItems/],
    [{ type: 'number', multipleOf: 2 }, /multipleOf/],
    [
      { type: 'object', properties: { a: { type: 'object', patternProperties: {} } } },
      /at \/properties\/a has the keyword "patternProperties"/,
    ],
    [{ type: 'string', format: 'regex' }, /format/],
    [{ type: 'string', pattern: '(?=a)' }, /look-around/],
  ]
  for (const [of, message] of refused) {
    assert.throws(
      () => automatonOf(schema(of)),
      (error) => error instanceof GrammarError && message.test(error.message),
    )
    automatonOf(schema(of, false))
  }
})

test('schemas that make no sense are refused in any mode', () => {
  const wrong: [unknown, RegExp][] = [
    [{ type: 'strnig' }, /at \/type is "strnig", which is no type/],
    [{ type: 'object', properties: { a: 5 } }, /at \/properties\/a is a number/],
    [{ $ref: '#/$defs/missing' }, /which is not there/],
    [{ $ref: 'https://example.com/x' }, /outside the schema/],
    [{ type: 'array', minItems: 3, maxItems: 2 }, /minItems = 3 over maxItems = 2/],
    [{ type: 'integer', minimum: 3, maximum: 2 }, /no number between/],
    [{ type: 'object', required: ['a'], additionalProperties: false }, /names "a", which is not allowed/],
    [{ enum: [] }, /no value/],
    [{ type: 'string', enum: [1] }, /no value/],
    [{ $ref: '#' }, /no text at all|without anything/],
    [{ type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] }, /no text at all/],
    [{ type: 'string', pattern: '(' }, /at \/pattern is refused/],
    [{ items: { minItems: -1 } }, /not a whole number/],
  ]
  for (const [of, message] of wrong) {
    for (const strict of [true, false]) {
      assert.throws(
        () => automatonOf(schema(of, strict)),
        (error) => error instanceof GrammarError && message.test(error.message),
        JSON.stringify(of),
      )
    }
  }
})

test('a hostile schema is refused, or compiled, at once', () => {
  let deep: unknown = { type: 'string' }
  for (let i = 0; i < 1000; i++) deep = { type: 'array', items: deep }
  let wide: unknown = { type: 'integer' }
  for (let i = 0; i < 40; i++) wide = { type: 'object', properties: { a: wide, b: { type: 'null' } } }
  const doubling = Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [
      `d${i}`,
      { type: 'array', prefixItems: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
    ]),
  )
  const cases: [string, unknown][] = [
    ['deep', deep],
    ['nested optional members', wide],
    ['references that double', { $ref: '#/$defs/d0', $defs: { ...doubling, d60: { type: 'null' } } }],
    ['a long text', { type: 'string', minLength: 100_001 }],
    ['a billion characters', { type: 'string', maxLength: 1e9 }],
    [
      'many items of many',
      { type: 'array', minItems: 9999, items: { type: 'array', minItems: 9999, items: { type: 'string' } } },
    ],
    ['many values', { enum: Array.from({ length: 5001 }, (_, i) => i) }],
    ['many required members', many(5000, { additionalProperties: false }, true)],
    ['many optional members', many(1000, { additionalProperties: false }, false)],
    ['many members beside others', many(500, {}, true)],
    [
      'too many members',
      {
        type: 'object',
        properties: Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`name${i}`, { type: 'string' }])),
      },
    ],
    ['a pattern', { type: 'string', pattern: '((a{1,500}){1,500}){1,500}' }],
    ['a pattern of 900,000 characters', { type: 'string', pattern: 'ab?'.repeat(300_000) }],
    ['a long list', { type: 'array', prefixItems: Array.from({ length: 9000 }, () => ({ type: 'null' })) }],
    ['a long name', { type: 'object', properties: { ['n'.repeat(50_000)]: {} } }],
    ['parts of one schema', { allOf: Array.from({ length: 3000 }, (_, i) => many(i % 9, {}, true)) }],
    [
      'many bounds',
      { anyOf: Array.from({ length: 3000 }, (_, i) => ({ type: 'number', minimum: i + 0.1234567, maximum: i * 1e9 })) },
    ],
    ['a large constant', { const: Array.from({ length: 100_000 }, (_, i) => i) }],
    ['alternatives of alternatives', nested(7, 8)],
  ]
  for (const [name, of] of cases) {
    const started = performance.now()
    try {
      automatonOf(schema(of))
    } catch (error) {
      assert.ok(error instanceof GrammarError, `${name}: ${error}`)
    }
    const ms = performance.now() - started
    // 50 ms are asked for; the machine may be busy.
    assert.ok(ms < 400, `${name} took ${ms} ms`)
  }
})

function many(count: number, more: object, required: boolean) {
  const names = Array.from({ length: count }, (_, i) => `name${i}`)
  const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]))
  return { type: 'object', properties, ...(required && { required: names }), ...more }
}

/** Every alternative has so many of its own. */
function nested(depth: number, width: number): unknown {
  return depth === 0 ? { type: 'null' } : { anyOf: Array.from({ length: width }, () => nested(depth - 1, width)) }
}

describe('random schemas', () => {
  const { any } = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<unknown>(
        { type: 'integer' },
        { type: 'number' },
        { type: 'boolean' },
        { type: 'null' },
        { type: 'string' },
      ),
      fc.record({ type: fc.constant('string'), minLength: fc.nat(3), maxLength: fc.integer({ min: 3, max: 5 }) }),
      fc.record({
        type: fc.constant('integer'),
        minimum: fc.integer({ min: -50, max: 0 }),
        maximum: fc.integer({ min: 0, max: 500 }),
      }),
      fc.record({
        enum: fc.array(fc.oneof(fc.string({ maxLength: 4 }), fc.integer(), fc.boolean()), {
          minLength: 1,
          maxLength: 4,
        }),
      }),
      fc.record({
        type: fc.constant('array'),
        items: tie('any'),
        minItems: fc.nat(2),
        maxItems: fc.integer({ min: 2, max: 3 }),
      }),
      fc.record({ anyOf: fc.array(tie('any'), { minLength: 1, maxLength: 3 }) }),
      fc
        .array(fc.record({ name: fc.string({ maxLength: 4 }), of: tie('any'), required: fc.boolean() }), {
          maxLength: 4,
        })
        .map((members) => ({
          type: 'object',
          properties: Object.fromEntries(members.map(({ name, of }) => [`p${name}`, of])),
          required: [...new Set(members.filter(({ required }) => required).map(({ name }) => `p${name}`))],
          additionalProperties: false,
        })),
    ),
  }))

  test('every text that the grammar lets through is valid', () => {
    fc.assert(
      fc.property(any, fc.integer(), (of, seed) => {
        const automaton = automatonOf(schema(of))
        let state = seed | 1
        const random = () => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0
          return state / 2 ** 32
        }
        for (let i = 0; i < 5; i++) {
          const text = randomText(automaton, random)
          assert.ok(isValid(JSON.parse(text), of as Plain), `${text} for ${JSON.stringify(of)}`)
        }
      }),
      { seed: 1, numRuns: 200 },
    )
  })
})

interface Plain {
  type?: string
  anyOf?: Plain[]
  enum?: unknown[]
  properties?: Record<string, Plain>
  required?: string[]
  items?: Plain
  minItems?: number
  maxItems?: number
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
}

/** A validator of the schemas above, by their definition. */
function isValid(value: unknown, of: Plain): boolean {
  if (of.anyOf) return of.anyOf.some((option) => isValid(value, option))
  if (of.enum) return of.enum.some((option) => Object.is(option, value) || option === value)
  const { minItems = 0, maxItems = 1e9, minLength = 0, maxLength = 1e9, minimum = -1e99, maximum = 1e99 } = of
  switch (of.type) {
    case 'integer':
      return Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum
    case 'string':
      return typeof value === 'string' && [...value].length >= minLength && [...value].length <= maxLength
    case 'null':
      return value === null
    case 'array':
      return (
        Array.isArray(value) &&
        value.length >= minItems &&
        value.length <= maxItems &&
        value.every((item) => isValid(item, of.items ?? {}))
      )
    case 'object': {
      const { properties = {}, required = [] } = of
      const names = Object.keys(value as object)
      return (
        required.every((name) => names.includes(name)) &&
        names.every((name) => isValid((value as Record<string, unknown>)[name], properties[name] as Plain))
      )
    }
    default:
      return typeof value === of.type
  }
}

test('what many fields have in common is made once', () => {
  const field = { type: 'string', format: 'date-time' }
  const fields = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`f${i}`, [field, { type: 'string', maxLength: 300 }][i % 2]]),
    )
  const nodes = (count: number) =>
    compileConstraint(schema({ type: 'object', properties: fields(count), additionalProperties: false })).nodes.length
  assert.ok(nodes(100) - nodes(2) < 100 * 30)
})

test('the 128 tools that a request may offer', () => {
  const names = ['location', 'unit', 'start_date', 'query', 'limit', 'user_id', 'description', 'priority']
  const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]))
  const tools = Array.from({ length: 128 }, (_, i) => ({
    name: `tool_${i}`,
    parameters: { type: 'object', properties },
    strict: false,
  }))
  const automaton = automatonOf({ type: 'tools', tools, optional: true, parallel: true })
  assert.ok(
    matches(automaton, '<tool_call>\n{"name": "tool_77", "arguments": {"unit": "K", "other": 1}}\n</tool_call>'),
  )
})

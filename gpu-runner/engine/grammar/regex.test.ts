import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileConstraint } from './grammar.ts'
import { GrammarError } from './grammar-error.ts'
import { after, automatonOf, matches, randomText } from './testdata/matching.ts'

const regex = (pattern: string) => automatonOf({ type: 'regex', pattern })

const PATTERNS = [
  'abc', 'a*b+c?', '(a|bc)*d', '[a-c]{2,3}', '[^a-z]+', '\\d{3}-\\d{4}', '(?:x|y){0,2}z', '\\w+@\\w+\\.(com|org)', '.{1,3}',
  'é|漢|😀', '[à-ÿ]+', '\\u0041\\x42\\n', '(?<year>\\d{4})-(0[1-9]|1[0-2])', 'a{3}', 'a{2,}', '', '(|a)b', '[\\]\\-x]', '\\s*x\\S',
  '^ab$', '^a|b$', '[\\u{1F600}-\\u{1F64F}]', '(a*)*b', '((a|b)+c?)+',
] // biome-ignore format: a list

test('a text matches just where JavaScript’s own expression matches the whole of it', () => {
  const pieces = [
    'a',
    'b',
    'c',
    'd',
    'x',
    'y',
    'z',
    '1',
    '9',
    '-',
    '@',
    '.',
    'com',
    'é',
    '漢',
    '😀',
    ' ',
    '\n',
    'AB\n',
    '2024',
    ']',
    'ÿ',
  ]
  for (const pattern of PATTERNS) {
    const automaton = regex(pattern)
    const expected = new RegExp(`^(?:${pattern.replaceAll(/^\^|\$$/g, '').replace('|b$', '|b')})$`, 'u')
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 6 }), (parts) => {
        const text = parts.join('')
        assert.equal(matches(automaton, text), expected.test(text), `${pattern} on ${JSON.stringify(text)}`)
      }),
      { seed: 1, numRuns: 400 },
    )
    let seed = 1
    const random = () => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return seed / 2 ** 32
    }
    for (let i = 0; i < 20; i++) assert.match(randomText(automaton, random, 12), expected)
  }
})

test('nothing but UTF-8 comes', () => {
  const any = regex('[^]*'.replace('[^]', '[\\s\\S]'))
  for (const text of ['\u{10ffff}', '\ud7ff\ue000', '\u0000\u007f\u0080\u07ff\u0800\uffff\u{10000}'])
    assert.ok(matches(any, text))
  for (const bytes of [
    [0xc0, 0x80],
    [0xc1, 0xbf],
    [0xe0, 0x80, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x80, 0x80, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xff],
    [0x80],
  ]) {
    assert.equal(after(any, Uint8Array.from(bytes)), null, bytes.join(' '))
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => matches(any, text)),
    { seed: 1 },
  )
})

test('what is not supported, and what is none, is refused and says where', () => {
  const refused: [string, RegExp][] = [
    ['a(?=b)', /look-around at character 1/],
    ['(?<!a)b', /look-around at character 0/],
    ['(a)\\1', /back reference/],
    ['\\bword', /word boundary/],
    ['\\p{L}', /Unicode property/],
    ['a^b', /\^ inside/],
    ['(a', /without an end/],
    ['a)', /unpaired \)/],
    ['[a', /class without an end/],
    ['[b-a]', /wrong order/],
    ['*a', /quantifier of nothing/],
    ['a{2,1}', /wrong order/],
    ['a{x', /no quantifier/],
    ['a**', /quantifier of a quantifier/],
    ['\\', /backslash at its end/],
    ['[\\d-z]', /class as the end of a range/],
    ['[]', /no text at all/],
  ]
  for (const [pattern, message] of refused) {
    assert.throws(
      () => regex(pattern),
      (error) => error instanceof GrammarError && message.test(error.message),
      pattern,
    )
  }
})

test('an expression that would grow too large is refused at once', () => {
  for (const pattern of [
    'x{70000}',
    '(x{0,99999}){0,99999}',
    'x{30000}y{30000}',
    `${'('.repeat(2000)}a${')'.repeat(2000)}`,
    '[\\s\\S]{99999}',
  ]) {
    const started = performance.now()
    assert.throws(() => regex(pattern), { name: 'GrammarError', code: 'too_large' })
    assert.ok(performance.now() - started < 500, `${pattern.slice(0, 40)} took ${performance.now() - started} ms`)
  }
})

test('what is repeated is written once', () => {
  const program = (pattern: string) => compileConstraint({ type: 'regex', pattern })
  assert.ok(program('(a{1000}){1000}').nodes.length < 3000)
  assert.ok(program('([^a-z]{0,500}x){0,50}').nodes.length < 3000)
  const thrice = regex('(.{1,40}-){3}')
  for (const [text, expected] of [
    ['a-b-c-', true],
    [`é-${'x'.repeat(40)}-—-`, true],
    ['a-b-', false],
    ['a--b-', false],
    [`${'x'.repeat(41)}-b-c-`, false],
  ] as const) {
    assert.equal(matches(thrice, text), expected, text)
  }
})

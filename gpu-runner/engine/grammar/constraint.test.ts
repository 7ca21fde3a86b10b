/** Over SmolLM2's vocabulary. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { smollm2Metadata } from '#models/tokenizer/testdata/smollm2.ts'
import { createTokenizer } from '#models/tokenizer/tokenizer.ts'
import type { GenerationConstraint } from '#protocol/generation.ts'
import { Grammars } from './grammar.ts'
import { after, automatonOf, schema } from './testdata/matching.ts'

const tokenizer = createTokenizer(smollm2Metadata())
const grammars = new Grammars(tokenizer)
const PERSON = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0, maximum: 130 } },
  required: ['name', 'age'],
  additionalProperties: false,
}
const TOOLS: GenerationConstraint = {
  type: 'tools',
  tools: [
    { name: 'add_person', parameters: PERSON, strict: true },
    { name: 'now', parameters: {}, strict: false },
  ],
  optional: true,
  parallel: true,
}

function allowed(logits: Float32Array): Set<number> {
  return new Set([...logits.keys()].filter((token) => logits[token] !== Number.NEGATIVE_INFINITY))
}
const flat = () => new Float32Array(tokenizer.vocabularySize)

test('after each token, just those tokens may come whose bytes go on', () => {
  for (const [constraint, text] of [
    [schema(PERSON), '{"name": "Ada é", "age": 36}'],
    [{ type: 'json_object' }, '{"a": [1, {"b": "\\u00e9"}]}'],
    [{ type: 'regex', pattern: '[0-9]{2}:[0-9]{2} (am|pm)' }, '12:34 pm'],
    [TOOLS, 'Well <tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>'],
  ] as [GenerationConstraint, string][]) {
    const constrained = grammars.constrain(constraint)
    const automaton = automatonOf(constraint)
    let written = Buffer.alloc(0)
    for (const token of tokenizer.encode(text)) {
      const logits = flat()
      constrained.apply(logits, tokenizer.eosIds)
      const expected = [...logits.keys()].filter((candidate) => {
        const bytes = tokenizer.decodeBytes(candidate)
        if (bytes.length === 0) return constrained.complete && tokenizer.eosIds.includes(candidate)
        return after(automaton, Buffer.concat([written, bytes])) !== null
      })
      assert.deepEqual(allowed(logits), new Set(expected), `after ${written}`)
      constrained.accept(token)
      written = Buffer.concat([written, tokenizer.decodeBytes(token)])
    }
    assert.ok(constrained.complete)
    if (constraint !== TOOLS) assert.ok(constrained.finished)
  }
})

test('a token that may not come is not taken', () => {
  const constrained = grammars.constrain(schema(PERSON))
  assert.throws(() => constrained.accept(tokenizer.encode('[')[0] as number), RangeError)
  assert.throws(() => constrained.accept(tokenizer.eosIds[0] as number), RangeError)
})

test('calls of tools: named, with the parameters of their own tool, alone or after text', () => {
  const call = (name: string, given: string) => `<tool_call>\n{"name": "${name}", "arguments": ${given}}\n</tool_call>`
  const good = [
    'Plain text < with <tool brackets.',
    '',
    call('now', '{}'),
    call('add_person', '{"name": "A", "age": 1}'),
    `Let me see. ${call('now', '{}')}\n${call('now', '{"any": 1}')}`,
  ]
  const bad = [
    call('other', '{}'),
    call('add_person', '{"name": "A"}'),
    `${call('now', '{}')} and more`,
    '<tool_call> {}',
    '<<tool_call>x',
  ]
  const auto = automatonOf(TOOLS)
  for (const text of good) assert.ok(after(auto, text)?.accepting, text)
  for (const text of bad) assert.ok(!after(auto, text)?.accepting, text)
  const required = automatonOf({ ...TOOLS, optional: false, parallel: false })
  assert.ok(after(required, call('now', '{}'))?.accepting)
  for (const text of ['', 'text', `${call('now', '{}')}\n${call('now', '{}')}`]) {
    assert.ok(!after(required, text)?.accepting, text)
  }
})

test('what can be read in thousands of ways at once is refused before it has cost others their time', () => {
  const text = tokenizer.encode(' abc, a cab; and more of the same a hundred times over')
  for (const constraint of [
    { type: 'regex', pattern: '.*[a-m].{14}z' },
    { type: 'regex', pattern: '(.*a){0,20}.{50}' },
    { type: 'regex', pattern: '((a?){0,100}){0,100}' },
    { type: 'regex', pattern: '(.?){0,2000}x' },
    schema({ type: 'string', pattern: '[a-d].{0,30}[a-d].{0,30}[a-d]' }),
  ] as GenerationConstraint[]) {
    assert.throws(
      () => {
        const constrained = grammars.constrain(constraint)
        if (constraint.type === 'json_schema') constrained.accept(tokenizer.encode('"')[0] as number)
        for (const token of text) {
          constrained.apply(flat(), [])
          constrained.accept(token)
        }
      },
      { name: 'GrammarError', code: 'too_large' },
      JSON.stringify(constraint),
    )
  }
})

test('long texts of a bounded length are not', () => {
  const sentence = 'Some words of 25 letters — é, 漢字 — and more of them. '
  for (const [constraint, text] of [
    [schema({ type: 'string', maxLength: 2000 }), `"${sentence.repeat(30)}"`],
    [{ type: 'regex', pattern: '.{0,2000}' }, sentence.repeat(30)],
    [{ type: 'regex', pattern: '(.{1,80}\n){1,40}' }, `${sentence}\n`.repeat(30)],
    [schema({ type: 'array', items: { type: 'string', format: 'email' } }), '["ada.lovelace@example.org", "b@c.de"]'],
  ] as [GenerationConstraint, string][]) {
    const constrained = grammars.constrain(constraint)
    for (const token of tokenizer.encode(text)) {
      constrained.apply(flat(), [])
      constrained.accept(token)
    }
    assert.ok(constrained.complete)
  }
})

test('schemas, each another one, fill nothing', () => {
  const bounded = new Grammars(tokenizer)
  for (let i = 0; i < 60; i++) bounded.constrain(schema({ const: i }))
  assert.ok(bounded.size <= 16, `${bounded.size} are kept`)
  // Nor does one whose states have no end: past so many they are forgotten, and what comes next is right all the same.
  const digits = bounded.constrain({ type: 'regex', pattern: '[a-z]{0,12000}' })
  const token = tokenizer.encode('a')[0] as number
  for (let i = 0; i < 12_000; i++) digits.accept(token)
  digits.apply(flat(), tokenizer.eosIds)
  assert.ok(digits.finished)
})

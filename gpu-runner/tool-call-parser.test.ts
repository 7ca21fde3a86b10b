import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AnswerPart, ToolCallParser } from './tool-call-parser.ts'

const call = (name: string, given: string) =>
  `<tool_call>\n{"name": ${JSON.stringify(name)}, "arguments": ${given}}\n</tool_call>`

/** Neighbouring texts, and neighbouring arguments of a call, as one. */
function joined(parts: readonly AnswerPart[]): AnswerPart[] {
  const all: AnswerPart[] = []
  for (const part of parts) {
    const before = all.at(-1)
    if (part.type !== 'call' && before?.type === part.type) {
      all[all.length - 1] = { ...before, text: before.text + part.text }
    } else all.push(part)
  }
  return all
}

function parse(text: string, cuts: readonly number[] = []): AnswerPart[] {
  const parser = new ToolCallParser()
  const edges = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length]
  const parts = edges.slice(1).flatMap((edge, i) => parser.push(text.slice(edges[i], edge)))
  return joined([...parts, ...parser.flush()])
}

test('text, then calls, however they come', () => {
  const given = '{"city": "a } \\" { ]", "n": [1, {"x": {}}], "text": "</tool_call>"}'
  const text = `Let me see <tool> <tool_call\n${call('weather', given)}\n${call('now', '{}')}`
  const expected: AnswerPart[] = [
    { type: 'text', text: 'Let me see <tool> <tool_call\n' },
    { type: 'call', index: 0, name: 'weather' },
    { type: 'arguments', index: 0, text: given },
    { type: 'call', index: 1, name: 'now' },
    { type: 'arguments', index: 1, text: '{}' },
  ]
  assert.deepEqual(parse(text), expected)
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { maxLength: 60 }), (cuts) => {
      assert.deepEqual(parse(text, cuts), expected)
    }),
    { seed: 1, numRuns: 300 },
  )
})

test('what looks like the beginning of a call and is none is text in the end', () => {
  assert.deepEqual(parse('a < b <tool_ca'), [{ type: 'text', text: 'a < b <tool_ca' }])
})

test('arguments are told as they come, of a call that is cut short too', () => {
  const parser = new ToolCallParser()
  assert.deepEqual(parser.push('<tool_call>\n{"name": "f", "argu'), [])
  assert.deepEqual(parser.push('ments": {"a": "x'), [
    { type: 'call', index: 0, name: 'f' },
    { type: 'arguments', index: 0, text: '{"a": "x' },
  ])
  assert.deepEqual(parser.flush(), [])
  assert.equal(parser.calls, 1)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createShield } from './shield.ts'

const CONTROLS = ['<|im_start|>', '<|im_end|>', '<s>', 's><s', '😀!', '\u{10000}']

test('text without anything near a control token stays as it is', () => {
  const shield = createShield(CONTROLS)
  for (const text of ['', 'hello', 'a < b, c > d', '<|im_ start|> in the middle', '😀']) {
    assert.equal(shield.restore(shield.hide(text)), text)
  }
  assert.equal(shield.hide('a < b and b > c: no token'), 'a < b and b > c: no token')
})

test('without control tokens there is nothing to hide', () => {
  assert.equal(createShield([]).hide('<|im_start|>'), '<|im_start|>')
})

test('a lone surrogate becomes U+FFFD and so is no stand-in', () => {
  const shield = createShield(CONTROLS)
  assert.equal(shield.restore(shield.hide('\udc00<s>')), '\ufffd<s>')
})

const fragment = fc.constantFrom(
  '<',
  '|',
  'im_',
  'start',
  'end',
  '>',
  's',
  ' ',
  '\n',
  '😀',
  '\u{10000}',
  '!',
  '<s>',
  '<|im_end|>',
  'x',
)
const fragments = (maxLength: number) => fc.array(fragment, { maxLength }).map((parts) => parts.join(''))

test('whatever a template writes around it, a message brings no control token', () => {
  fc.assert(
    fc.property(fragments(12), fragments(4), fragments(4), fc.boolean(), (message, before, after, trimmed) => {
      const shield = createShield(CONTROLS)
      const hidden = trimmed ? shield.hide(message).trim() : shield.hide(message)
      const inTemplate = CONTROLS.map((control) => [...places(before, control), ...places(after, control)].length)
      const inPrompt = CONTROLS.map((control) => places(before + hidden + after, control).length)
      const expected = trimmed ? message.trim() : message
      assert.equal(shield.restore(hidden), expected)
      // An empty message joins what stands before and after it: then the template alone wrote the token.
      if (expected !== '') assert.deepEqual(inPrompt, inTemplate)
    }),
    { numRuns: 5000, seed: 3 },
  )
})

function places(text: string, control: string): number[] {
  return Array.from({ length: text.length }, (_, i) => i).filter((i) => text.startsWith(control, i))
}

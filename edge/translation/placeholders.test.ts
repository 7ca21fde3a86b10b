import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeXml } from './markup-pieces.ts'
import { type Kept, type Part, plain } from './pieces.ts'
import { fromModel, toModel, wordsFromModel } from './placeholders.ts'

const open = (text: string): Kept => ({ text, tag: 'open' })
const close = (text: string): Kept => ({ text, tag: 'close' })
const code = { text: '`x`' }

test('a model gets numbered placeholders and single spaces', () => {
  assert.equal(toModel(['Use\n  ', code, ' and\t', code, '.']), 'Use ⟦0⟧ and ⟦1⟧.')
})

test('what is kept comes back where the model puts it, the words encoded', () => {
  const parts: Part[] = ['a ', code, ' b ', { text: '<i/>', tag: 'empty' }]
  assert.equal(fromModel('⟦1⟧ b & ⟦ 0 ⟧ a', parts, encodeXml), '<i/> b &amp; `x` a')
})

test('a placeholder that is missing, twice there, or made up is noticed', () => {
  const parts: Part[] = ['a ', code, ' b ', code]
  for (const translation of ['a ⟦0⟧', '⟦0⟧ ⟦0⟧ ⟦1⟧', '⟦0⟧ ⟦1⟧ ⟦2⟧', '⟦0⟧ ⟦1⟧ ⟧', '⟦0⟧ ⟦1⟧ ⟦x⟧', '']) {
    assert.equal(fromModel(translation, parts, plain), undefined, translation)
  }
  assert.equal(wordsFromModel('a ⟦0⟧ b⟧', plain), 'a b')
})

test('tags have to be nested as they were', () => {
  const pair: Part[] = [open('<b>'), 'a', close('</b>'), ' c ', open('<i>'), 'd', close('</i>')]
  assert.equal(fromModel('⟦2⟧d⟦3⟧ c ⟦0⟧a⟦1⟧', pair, plain), '<i>d</i> c <b>a</b>')
  assert.equal(fromModel('⟦0⟧a⟦2⟧ c ⟦1⟧d⟦3⟧', pair, plain), undefined)
  assert.equal(fromModel('⟦1⟧a⟦0⟧ c ⟦2⟧d⟦3⟧', pair, plain), undefined)
  // The first closes what was opened before the sentence, the last one is closed after it.
  const beyond: Part[] = ['a', close('</u>'), ' b ', open('<b>'), 'c']
  assert.equal(fromModel('x⟦0⟧ y ⟦1⟧z', beyond, plain), 'x</u> y <b>z')
  assert.equal(fromModel('x⟦1⟧ y ⟦0⟧z', beyond, plain), undefined)
})

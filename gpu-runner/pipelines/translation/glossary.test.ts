import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PLACEHOLDERS, placeholder } from '#protocol/translation.ts'
import { glossaryMarker } from './glossary.ts'

const mark = glossaryMarker([
  { source: 'cell', target: 'case' },
  { source: 'merged cell', target: 'case fusionnée' },
  { source: 'C++', target: 'C plus plus' },
])

test('terms are placeholders in the text, and what they are to be in the translation', () => {
  const { text, restore } = mark('A merged cell is no cell; cells are not it.')
  assert.equal(text, 'A ⟦0⟧ is no ⟦1⟧; cells are not it.')
  assert.equal(restore('⟦1⟧, ⟦0⟧'), 'case, case fusionnée')
  assert.equal(mark('Use C++ here').text, 'Use ⟦0⟧ here')
})

test('a capital stays one', () => {
  const { text, restore } = mark('Cell A1')
  assert.deepEqual([text, restore('⟦0⟧ A1')], ['⟦0⟧ A1', 'Case A1'])
})

test('placeholders that are in the text are left alone, and there are no more than there are', () => {
  const { text, restore } = mark('⟦0⟧ cell')
  assert.deepEqual([text, restore('⟦1⟧ ⟦0⟧')], ['⟦0⟧ ⟦1⟧', 'case ⟦0⟧'])
  const many = mark('cell '.repeat(PLACEHOLDERS + 2).trim())
  assert.equal(many.text.match(/⟦/g)?.length, PLACEHOLDERS)
  assert.ok(many.text.endsWith(`${placeholder(PLACEHOLDERS - 1)} cell cell`))
})

test('of one source the last target holds, and signs in a target are signs', () => {
  const twice = glossaryMarker([
    { source: 'a', target: 'b' },
    { source: 'A', target: '$&' },
  ])
  assert.equal(twice('a').restore('⟦0⟧'), '$&')
  assert.equal(glossaryMarker([])('cell').text, 'cell')
})

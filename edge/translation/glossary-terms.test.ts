import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeXml } from './markup-pieces.ts'
import { plain } from './pieces.ts'
import { TermFinder } from './glossary-terms.ts'

const finder = new TermFinder(
  new Map([
    ['window', 'fenêtre'],
    ['window manager', 'gestionnaire de fenêtres'],
    ['C++', 'C++ <3'],
    ['API', 'interface'],
  ]),
)
const apply = (text: string, encode = plain) => finder.apply([text], encode)

test('whole words are found, the longest first', () => {
  assert.deepEqual(apply('A window manager, two windows, a window.'), [
    'A ',
    { text: 'gestionnaire de fenêtres' },
    ', two windows, a ',
    { text: 'fenêtre' },
    '.',
  ])
  assert.deepEqual(apply('Use C++.', encodeXml), ['Use ', { text: 'C++ &lt;3' }, '.'])
})

test('a term may begin a sentence; other letters are told apart', () => {
  assert.deepEqual(apply('Window'), [{ text: 'Fenêtre' }])
  assert.deepEqual(apply('WINDOW api'), ['WINDOW api'])
})

test('without terms nothing is changed', () => {
  assert.deepEqual(new TermFinder(new Map()).apply(['a', { text: 'b' }]), ['a', { text: 'b' }])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placeholder } from '#protocol/translation.ts'
import { type Piece, plain } from './pieces.ts'
import { toModel } from './placeholders.ts'
import { plainPieces } from './plain-pieces.ts'
import { aroundKept, type Split } from './sentence-pieces.ts'

const shown = (pieces: readonly Piece[]) =>
  pieces.map((piece) => (typeof piece === 'string' ? piece : [toModel(piece.parts)]))
const split = (text: string, kind: Split = 'lines', most = 500, language = 'en') =>
  shown(plainPieces(text, { language, split: kind, most, keep: (parts) => [...parts] }))

test('sentences are parted, what is between them stays', () => {
  assert.deepEqual(split(' Hello {name}. How are you?\r\n\r\n\tSee e.g. https://a.b/c.d. Next.  \n'), [
    ' ',
    ['Hello ⟦0⟧.'],
    ' ',
    ['How are you?'],
    '\r\n',
    '\r\n',
    '\t',
    ['See e.g. ⟦0⟧.'],
    ' ',
    ['Next.'],
    '  \n',
  ])
  assert.deepEqual(split('One\ntwo. Three', 'punctuation'), [['One two.'], ' ', ['Three']])
  assert.deepEqual(split('One\ntwo. Three', 'none'), [['One two. Three']])
})

test('emoji around a sentence stay where they are', () => {
  assert.deepEqual(split('👍👩‍👩‍👧 Open the file 🎉!'), ['👍👩‍👩‍👧 ', ['Open the file'], ' 🎉!'])
  assert.deepEqual(split('A 👍 for {x} 🎉'), [['A ⟦0⟧ for ⟦1⟧'], ' 🎉'])
  assert.deepEqual(split('🎉 {x}'), ['🎉 ', '{x}'])
})

test('what has no letter is not translated', () => {
  assert.deepEqual(split(''), [])
  assert.deepEqual(split(' \n '), [' \n', ' '])
  assert.deepEqual(split('12 % 🙂 {x}').join(''), '12 % 🙂 {x}')
})

test('a sentence that is too long is cut where it can be', () => {
  const clauses = split(`${'one two, '.repeat(20)}end`, 'lines', 60)
  for (const piece of clauses.filter(Array.isArray))
    assert.match(String(piece), /^(one two, )*(one two,|end|one two, end)$/)
  for (const [text, language] of [
    ['word '.repeat(300).trim(), 'en'],
    ['𠀀'.repeat(400), 'zh'],
  ] as const) {
    const pieces = split(text, 'lines', 99, language)
    for (const piece of pieces) assert.ok(String(piece).length <= 99 && String(piece).isWellFormed())
    assert.equal(pieces.flat().join(''), text)
  }
})

test('a sentence has no more placeholders than a model knows', () => {
  const pieces = split('file %s '.repeat(40).trim(), 'none')
  const most = Math.max(...pieces.filter(Array.isArray).map((piece) => String(piece).split('⟦').length - 1))
  assert.equal(most, 16)
  assert.ok(pieces.flat().some((piece) => piece.includes(placeholder(15))))
})

test('around what is kept, words are sentences of their own', () => {
  const parts = ['Open ', { text: '{a}' }, ' the ', { text: '{b}' }, '.']
  assert.deepEqual(shown(aroundKept(parts, plain)), [['Open'], ' ', '{a}', ' ', ['the'], ' ', '{b}', '.'])
})

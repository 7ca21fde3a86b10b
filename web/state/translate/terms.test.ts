import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkTerms, pastedTerms } from './terms.ts'

test('tables that are pasted become rows, terms stay terms', () => {
  assert.deepEqual(pastedTerms('file\tfichier\nwindow\tfenêtre\n'), [
    ['file', 'fichier'],
    ['window', 'fenêtre'],
  ])
  assert.deepEqual(pastedTerms('file\tfichier'), [['file', 'fichier']])
  assert.deepEqual(pastedTerms('"a, b","c"\r\nfile,fichier'), [
    ['a, b', 'c'],
    ['file', 'fichier'],
  ])
  assert.equal(pastedTerms('bread, butter'), null)
  assert.equal(pastedTerms('one\ntwo'), null)
})

test('a row that lacks a side, a term that is there twice and no term at all are told', () => {
  assert.deepEqual(
    checkTerms([
      ['', ''],
      [' file ', 'fichier'],
    ]),
    { terms: [['file', 'fichier']], problem: null },
  )
  assert.match(checkTerms([['file', ' ']]).problem ?? '', /Term 1 lacks/)
  assert.match(
    checkTerms([
      ['file', 'fichier'],
      ['file', 'dossier'],
    ]).problem ?? '',
    /“file” is there twice/,
  )
  assert.match(checkTerms([['', '']]).problem ?? '', /at least one/)
})

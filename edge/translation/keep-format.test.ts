import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepFormat } from './keep-format.ts'

test('the end and the first letter are as in the source', () => {
  for (const [source, translation, kept] of [
    ['open', 'Ouvrir.', 'ouvrir'],
    ['Open', 'ouvrir', 'Ouvrir'],
    ['Open!', 'Ouvrir.', 'Ouvrir!'],
    ['open…', 'Ouvrir', 'ouvrir…'],
    ['Why?', 'Pourquoi ?', 'Pourquoi ?'],
    ['1 file', 'Un fichier', 'Un fichier'],
    ['{x}', '{x}', '{x}'],
    ['', '', ''],
  ] as const) {
    assert.equal(keepFormat(source, translation), kept, source)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textKey } from './english-french.ts'
import { pairsOfPages, partOf } from './libreoffice-help.ts'

test('pages are held out by the first 32 bits of the SHA-1 of their names', () => {
  // By `printf NAME | sha1sum`, in twentieths: a remainder of 0 for tests, of 1 for choosing.
  const parts = {
    'text/sbasic/guide/basic_examples.html': 'test',
    'text/sbasic/guide/translation.html': 'test',
    'text/sbasic/python/python_document_events.html': 'test',
    'text/sbasic/python/python_ide.html': 'dev',
    'text/sbasic/shared/01030000.html': 'dev',
    'text/sbasic/shared/02/11030000.html': 'dev',
    'noscript.html': 'train',
    'text/sbasic/guide/access2base.html': 'train',
    'text/sbasic/guide/basic_2_python.html': 'train',
  }
  for (const [name, part] of Object.entries(parts)) assert.equal(partOf(name), part, name)
})

test('paragraphs are paired by their ids, without mark-up, what is the same in both languages left out', () => {
  const page = (...paragraphs: string[]) => `<body><p>No id</p>\n${paragraphs.join('\n')}</body>`
  const en = page(
    '<h1 id="hd_id1" dir="auto"><a name="x"></a>Sorting  &amp; <span class="emph">Filtering</span></h1>',
    '<p id="par_id2" class="paragraph">A1 &lt;&gt; B2</p>',
    '<p id="par_id3">Only here</p>',
    '<p id="par_id4">Sorting &amp; Filtering</p>',
  )
  const fr = page(
    '<p id="par_id4">Trier &amp; filtrer</p>',
    '<h1 id="hd_id1" dir="auto">Trier &amp; filtrer</h1>',
    '<p id="par_id2">A1 &lt;&gt; B2</p>',
  )
  assert.deepEqual(pairsOfPages({ 'a.html': en, 'b.html': en }, { 'a.html': fr }), [
    { part: partOf('a.html'), en: 'Sorting & Filtering', fr: 'Trier & filtrer' },
  ])
})

test('sentences that differ in signs, cases and numbers count as the same', () => {
  assert.equal(textKey('Set  1234 “Cells”!'), textKey('set 5 cells'))
  assert.notEqual(textKey('a cell'), textKey('cells'))
})

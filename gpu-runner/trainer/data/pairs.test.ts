import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { DataSetError, type DataSetErrorCode } from './data-set-error.ts'
import { readPairs } from './pairs.ts'

const folder = await mkdtemp(path.join(tmpdir(), 'tandem-pairs-'))
after(() => rm(folder, { recursive: true, force: true }))
const languages = { source: 'en', target: 'fr' }

async function read(contents: string) {
  const file = path.join(folder, 'pairs')
  await writeFile(file, contents)
  const { source, target, count } = await readPairs(file, languages)
  assert.equal(count, source.length)
  return source.map((text, i) => [text, target[i]])
}

async function refused(contents: string, code: DataSetErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(read(contents), (error) => {
    assert.ok(error instanceof DataSetError)
    assert.equal(error.code, code)
    assert.match(error.message, message)
    return true
  })
}

const CELLS = [
  ['A cell', 'Une cellule'],
  ['Rows & columns', 'Lignes et colonnes'],
]

test('a table with tabs has its columns by their languages', async () => {
  const lines = ['\ufefffr-FR\tde\tEN', 'Une cellule\tEine Zelle\tA cell', '', 'Lignes et  colonnes\tx\tRows & columns']
  assert.deepEqual(await read(lines.join('\r\n')), CELLS)
  await refused('a\tb\nc\td', 'bad_header', /has to name the languages en and fr/)
  await refused('en\tfr\na\tb\tc', 'ragged_row', /Line 2 has 3 cells/)
})

test('JSONL has an object a line', async () => {
  const line = (en: string, fr: string) => JSON.stringify({ id: 1, translation: { en, fr } })
  const lines = [...CELLS.map(([en = '', fr = '']) => line(en, fr)), line('A cell', 'Une cellule'), line('', 'Rien')]
  assert.deepEqual(await read([...lines, '{"translation": {"en": "Alone"}}'].join('\n')), CELLS)
  await refused(`${line('a', 'b')}\n{"en": "a"}`, 'bad_value', /Line 2 is not/)
})

test('TMX has units with a segment in each language, without their mark-up', async () => {
  const tmx = `<?xml version="1.0"?><!DOCTYPE tmx SYSTEM "tmx14.dtd"><tmx version="1.4"><header srclang="en"/><body>
    <tu tuid="1"><note>A note</note><tuv xml:lang="EN-US"><seg>A <bpt i="1">&lt;b></bpt>cell<ept i="1">&lt;/b></ept></seg></tuv>
      <tuv xml:lang="fr"><seg>Une <hi>cellule</hi></seg></tuv><tuv xml:lang="de"><seg>Eine Zelle</seg></tuv></tu>
    <tu><tuv xml:lang="fr-CA"><seg>Lignes et colonnes</seg></tuv><tuv lang="en"><seg>Rows &amp; columns<ph>{1}</ph></seg></tuv></tu>
    <tu><tuv xml:lang="en"><seg>Alone</seg></tuv></tu></body></tmx>`
  assert.deepEqual(await read(tmx), CELLS)
})

test('what has too little, or is no text, is refused', async () => {
  await refused('en\tfr\na\tb', 'too_few', /has 1 pairs of en and fr/)
  await refused('', 'too_few', /has 0 pairs/)
  await refused('<tmx><body><tu>', 'too_few', /has 0 pairs/)
  await refused('PK\0\0', 'unreadable', /not text/)
  await refused(`en\tfr\n${'x'.repeat(2 ** 20 + 1)}\tb`, 'too_large', /Line 2 has more than/)
})

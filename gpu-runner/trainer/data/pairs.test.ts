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

async function read(contents: string | Buffer) {
  const file = path.join(folder, 'pairs')
  await writeFile(file, contents)
  const { source, target, count } = await readPairs(file, languages)
  assert.equal(count, source.length)
  return source.map((text, i) => [text, target[i]])
}

async function refused(contents: string | Buffer, code: DataSetErrorCode, message: RegExp): Promise<void> {
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
  for (const order of ['le', 'be']) {
    const utf16 = Buffer.from(`\ufeff${tmx}`, 'utf16le')
    assert.deepEqual(await read(order === 'le' ? utf16 : utf16.swap16()), CELLS, order)
  }
})

test('TMX that is broken, or does more than hold texts, is refused by its line or unit', async () => {
  const around = (body: string) => `<?xml version="1.0"?>\n<tmx version="1.4"><body>\n${body}</body></tmx>`
  const bomb = '<!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>\n<tmx><body>&b;</body></tmx>'
  const deep = `${'<a>'.repeat(200)}${'</a>'.repeat(200)}`
  for (const [contents, message] of [
    [around('<tu>\n<tuv xml:lang="en"><seg>A < b</seg></tuv></tu>'), /^Line 4 is not well-formed XML: '< b/],
    [around('<tu><tuv xml:lang="en"><seg>A</tuv></tu>'), /^Line 3 .*<\/tuv> ends no <seg>/],
    [around('<tu><tuv xml:lang=en><seg>A</seg></tuv></tu>'), /^Line 3 .*'<tuv xml:lang=en>.* is no tag/],
    [around('<tu><tuv xml:lang="en" xml:lang="fr"/></tu>'), /^Line 3 .*'xml:lang' is there twice/],
    [around('<tu><tuv xml:lang="en"><seg>&nbsp;&bomb;</seg></tuv></tu>'), /^Line 3 .*'&nbsp;' is no reference/],
    [around('<tu><tuv xml:lang="en"><seg>&#1114112;</seg></tuv></tu>'), /^Line 3 .*is no reference/],
    [around('<!-- x'), /^Line 3 .*there is no --> to end/],
    [around(deep), /^Line 3 .*more than 100 deep/],
    ['<tmx>\n<body>\n<tu>', /^Line 3 .*<tu> is not closed/],
    ['<tmx/><tmx/>', /second root element/],
    ['<tmx/>text', /outside of the root/],
    [bomb, /^Line 1 .*declares entities/],
    ['<html><p>en</p></html>', /first element is 'html', not 'tmx'/],
    [Buffer.from('<tmx>\xe9</tmx>', 'latin1'), /not in UTF-8/],
  ] as const) {
    await refused(contents, 'unreadable', message)
  }
  const unit = '<tu><tuv xml:lang="en"><seg>A</seg></tuv><tuv xml:lang="fr"><seg>Un</seg></tuv></tu>'
  await refused(around(`${unit}<tu><tuv><seg>B</seg></tuv></tu>`), 'bad_value', /^Unit 2 has a <tuv> without xml:lang/)
  const german = unit.replace('"fr"', '"de-DE"')
  await refused(around(german), 'too_few', /has 0 pairs of en and fr.* It has texts in 'en', 'de-DE'\./)
})

test('what has too little, or is no text, is refused', async () => {
  await refused('en\tfr\na\tb', 'too_few', /has 1 pairs of en and fr/)
  await refused('', 'too_few', /has 0 pairs/)
  await refused('PK\0\0', 'unreadable', /not text/)
  await refused(`en\tfr\n${'x'.repeat(2 ** 20 + 1)}\tb`, 'too_large', /Line 2 has more than/)
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate'
import type { AskModel } from '../translation/translate-pieces.ts'
import { kindOf } from './kinds.ts'
import { DocumentError, encodeText } from './open-document.ts'
import { onLines } from './subtitles.ts'
import { translateDocument } from './translate-document.ts'

const PAIR = { source: 'en', target: 'fr', model: 'm', contextLength: 256 }
const asked: string[] = []
/** In capitals. */
const shouts: AskModel = async (texts) => {
  asked.push(...texts)
  return texts.map((text) => ({ text: text.toUpperCase(), alternatives: [], tokens: 1, read: 1 }))
}
async function translated(filename: string, contents: string | Uint8Array): Promise<Uint8Array> {
  asked.length = 0
  const bytes = typeof contents === 'string' ? encodeText(contents) : contents
  const request = { source: 'en', target: 'fr', terms: new Map<string, string>() }
  return translateDocument(kindOf(filename).open(bytes), request, [PAIR], () => shouts)
}
const text = async (filename: string, contents: string) =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(await translated(filename, contents))

test('text and HTML keep their layout', async () => {
  assert.equal(await text('a.txt', '\ufeff  One {x}.\r\n\r\n\tTwo\r\n'), '\ufeff  ONE {x}.\r\n\r\n\tTWO\r\n')
  assert.equal(
    await text('a.HTML', '<p class="a">One <b>two</b></p>\n<pre>x</pre>'),
    '<p class="a">ONE <b>TWO</b></p>\n<pre>x</pre>',
  )
})

test('a subtitle is one text, on as many lines as it was', async () => {
  const source =
    '1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>Where the\r\nfile is</i>\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nHere.\r\n'
  const wanted =
    '1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>WHERE THE\r\nFILE IS</i>\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nHERE.\r\n'
  assert.equal(await text('a.srt', source), wanted)
  assert.deepEqual(onLines('one two three four', 2), ['one two', 'three four'])
  assert.deepEqual(onLines('one', 3), ['one'])
  assert.deepEqual(onLines('', 2), [''])
})

test('XLIFF has its targets, and the language', async () => {
  const source =
    '<?xml version="1.0"?><xliff version="1.2"><file source-language="en" target-language="de"><body><trans-unit id="1"><source>One <g id="1">two</g> <x id="2"/></source><target>alt</target></trans-unit><trans-unit id="2"><source>Three &amp; four</source></trans-unit><trans-unit id="3" translate="no"><source>No</source></trans-unit></body></file></xliff>'
  assert.equal(
    await text('a.xlf', source),
    source
      .replace('"de"', '"fr"')
      .replace('alt', 'ONE <g id="1">TWO</g> <x id="2"/>')
      .replace('four</source>', 'four</source><target>THREE &amp; FOUR</target>'),
  )
  const second =
    '<xliff srcLang="en"><file><unit><segment><source>One</source>\n<target/></segment></unit></file></xliff>'
  assert.equal(
    await text('a.xliff', second),
    '<xliff srcLang="en" trgLang="fr"><file><unit><segment><source>One</source>\n<target>ONE</target></segment></unit></file></xliff>',
  )
})

describe('a Word document', () => {
  const document = (body: string) =>
    `<?xml version="1.0"?><w:document xmlns:w="x"><w:body>${body}</w:body></w:document>`
  const run = (words: string, format = '') => `<w:r>${format}<w:t>${words}</w:t></w:r>`
  const bold = '<w:rPr><w:b/></w:rPr>'
  const docx = (body: string) =>
    zipSync({
      '[Content_Types].xml': strToU8('<Types/>'),
      'word/document.xml': strToU8(document(body)),
      'word/header1.xml': strToU8(`<w:hdr><w:p>${run('Head')}</w:p></w:hdr>`),
      'word/media/image1.png': new Uint8Array([1, 2, 3]),
    })

  test('keeps its formats, and all else that is in it', async () => {
    const link = `<w:hyperlink r:id="a">${run('there')}</w:hyperlink>`
    const body = `<w:p><w:pPr/>${run('Open the ')}${run('new &amp; old', bold)}${run(' file. It is ')}${link}</w:p><w:p/><w:p>${run('Last')}</w:p>`
    const files = unzipSync(await translated('a.docx', docx(body)))
    const wanted = body
      .replaceAll(
        />([^<]+)</g,
        (_, words: string) => `>${words.replace('&amp;', '\0').toUpperCase().replace('\0', '&amp;')}<`,
      )
      .replaceAll('<w:t>', '<w:t xml:space="preserve">')
    assert.equal(strFromU8(files['word/document.xml'] ?? new Uint8Array()), document(wanted))
    assert.match(strFromU8(files['word/header1.xml'] ?? new Uint8Array()), />HEAD</)
    assert.deepEqual([...(files['word/media/image1.png'] ?? [])], [1, 2, 3])
    assert.deepEqual(asked, ['Open the ⟦0⟧new & old⟦1⟧ file.', 'It is ⟦0⟧there', 'Last', 'Head'])
  })

  test('that is none, or too large, is refused', () => {
    const bomb = zipSync({ 'word/document.xml': new Uint8Array(49 << 20) })
    assert.ok(bomb.length < 100_000)
    const broken = docx('<w:p>')
    for (const bytes of [bomb, encodeText('PK'), encodeText('no zip'), zipSync({ a: strToU8('b') }), broken]) {
      assert.throws(() => kindOf('a.docx').open(bytes), DocumentError)
    }
  })

  test('that says that it is smaller than it is, or is damaged, is refused', () => {
    const open = (bytes: Uint8Array) => kindOf('a.docx').open(bytes)
    const bytes = zipSync({ 'word/document.xml': new Uint8Array(9 << 20) })
    const directory = bytes.length - 22 - 46 - 'word/document.xml'.length
    const size = new DataView(bytes.buffer, bytes.byteOffset + directory + 24)
    assert.equal(size.getUint32(0, true), 9 << 20)
    size.setUint32(0, 10, true)
    assert.throws(() => open(bytes), /it has more bytes than its directory says/)
    size.setUint32(0, 10 << 20, true)
    assert.throws(() => open(bytes), /its checksum is wrong/)
    const stored = docx('<w:p/>')
    const flipped = stored.map((byte, at) => (at === 60 ? byte ^ 1 : byte))
    assert.throws(() => open(flipped), DocumentError)
    for (let end = 0; end < stored.length; end += 7) assert.throws(() => open(stored.slice(0, end)), DocumentError)
  })

  test('may have files of any name in it', async () => {
    const archive = zipSync({ 'word/document.xml': strToU8(document('<w:p/>')), constructor: strToU8('a') })
    assert.equal(strFromU8(unzipSync(await translated('a.docx', archive)).constructor as unknown as Uint8Array), 'a')
  })
})

test('what is not read is refused, by what is amiss', () => {
  const open = (filename: string, contents: string | Uint8Array) =>
    kindOf(filename).open(typeof contents === 'string' ? encodeText(contents) : contents)
  assert.throws(() => open('a.pdf', 'x'), /documents of the kind 'pdf' are not read/)
  assert.throws(() => open('constructor', 'x'), DocumentError)
  assert.throws(() => open('a.txt', new Uint8Array([0xff, 0xfe])), /not in UTF-8/)
  assert.throws(() => open('a.srt', 'no cue'), /no subtitles/)
  assert.throws(() => open('a.xlf', '<a/>'), /no element xliff/)
  assert.throws(() => open('a.xlf', '<xliff>'), /not well-formed/)
})

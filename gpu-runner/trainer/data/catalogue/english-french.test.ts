import assert from 'node:assert/strict'
import { test } from 'node:test'
import { descriptionsOf, packagePart } from './debian-descriptions.ts'
import { messagesOf } from './libreoffice-ui.ts'
import { withMarks } from './marks.ts'

test('marks of formats are placeholders where both paragraphs have the same ones', () => {
  const link = (language: string) => `<a target="_top" href="${language}/text/a.html#b">`
  assert.deepEqual(
    withMarks(
      `Open <span class="emph">Writer</span> and see ${link('en-US')}this</a>.`,
      `Voyez ${link('fr')}ceci</a> et ouvrez <span class="emph">Writer</span>.`,
    ),
    { source: 'Open ⟦0⟧Writer⟦1⟧ and see ⟦2⟧this⟦3⟧.', target: 'Voyez ⟦2⟧ceci⟦3⟧ et ouvrez ⟦0⟧Writer⟦1⟧.' },
  )
  const like = '<b>a</b><b>c</b>'
  assert.deepEqual(withMarks(like, like), { source: '⟦0⟧a⟦1⟧⟦2⟧c⟦3⟧', target: '⟦0⟧a⟦1⟧⟦2⟧c⟦3⟧' })
})

test('names of places and switches show nothing, and are no marks; other marks on one side leave the pair out', () => {
  assert.deepEqual(withMarks('<a name="x"></a><i>y</i>', '<i>z</i>'), {
    source: '<a name="x"></a>⟦0⟧y⟦1⟧',
    target: '⟦0⟧z⟦1⟧',
  })
  assert.deepEqual(withMarks('<span hidden="true" class="MAC">q</span><i>y</i>', '<i>z</i>')?.target, '⟦0⟧z⟦1⟧')
  assert.equal(withMarks('<i>y</i>', '<b>z</b>'), undefined)
  assert.equal(withMarks('y', 'z'), undefined)
  assert.equal(withMarks('<i>y</i>'.repeat(9), '<i>z</i>'.repeat(9)), undefined)
})

test('a table of gettext is read as its manual has it', () => {
  // Two messages: "" and "a\x04~Open", as `msgfmt` lays them out.
  const texts = ['', 'a\u0004~Open', 'Content-Type: text/plain; charset=UTF-8\n', '~Ouvrir é'].map((text) =>
    Buffer.from(`${text}\0`),
  )
  const head = Buffer.alloc(28 + 4 * 8)
  for (const [at, value] of [0x95_04_12_de, 0, 2, 28, 44, 0, 60].entries()) head.writeUInt32LE(value, 4 * at)
  let end = head.length
  for (const [i, text] of texts.entries()) {
    head.writeUInt32LE(text.length - 1, 28 + 8 * i)
    head.writeUInt32LE(end, 32 + 8 * i)
    end += text.length
  }
  const messages = messagesOf(Buffer.concat([head, ...texts]))
  assert.deepEqual(messages[1], ['a\u0004~Open', '~Ouvrir é'])
  assert.equal(messages.length, 2)
})

test('descriptions of packages are paragraphs by package, without what is set as it stands', () => {
  const index =
    'Package: a\nDescription-md5: 00\nDescription-fr: court\n Un\n texte.\n .\n  tel quel\n .\n Fin.\n\nPackage: b\nDescription-md5: 11\nDescription-fr: rien\n Long.\n'
  assert.deepEqual(
    [...descriptionsOf(index, 'fr')],
    [
      ['a 00', ['court', 'Un texte.', undefined, 'Fin.']],
      ['b 11', ['rien', 'Long.']],
    ],
  )
})

test('packages are held out by the first 32 bits of the SHA-1 of their names', () => {
  // By `printf NAME | sha1sum`.
  assert.deepEqual(['tree', 'sudo', 'sed'].map(packagePart), ['test', 'dev', 'train'])
})

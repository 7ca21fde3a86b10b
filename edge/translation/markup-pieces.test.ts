import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type MarkupOptions, markupPieces } from './markup-pieces.ts'
import { MarkupError } from './markup-tokens.ts'
import { toModel } from './placeholders.ts'

const none = new Set<string>()
const options: MarkupOptions = {
  markup: 'xml',
  language: 'en',
  split: 'lines',
  most: 500,
  ignoreTags: none,
  splittingTags: none,
  nonSplittingTags: none,
  outlineDetection: true,
  keep: (parts) => [...parts],
}
/** Sentences as the model gets them. */
const sentences = (source: string, some: Partial<MarkupOptions> = {}) =>
  markupPieces(source, { ...options, ...some }).flatMap((piece) =>
    typeof piece === 'string' ? [] : [toModel(piece.parts)],
  )

describe('XML', () => {
  test('elements beside which there is no text part sentences', () => {
    const source = '<doc><t>A title</t><p>Some <b>bold. Text</b> here.</p><p>More</p></doc>'
    assert.deepEqual(sentences(source), ['A title', 'Some ⟦0⟧bold.', 'Text⟦0⟧ here.', 'More'])
    assert.deepEqual(sentences('Hello <b>big</b> world'), ['Hello ⟦0⟧big⟦1⟧ world'])
  })

  test('tags part sentences as they are told to', () => {
    const source = 'One <br/>two <p>three</p>'
    assert.deepEqual(sentences(source), ['One ⟦0⟧two ⟦1⟧three⟦2⟧'])
    assert.deepEqual(sentences(source, { splittingTags: new Set(['br', 'p']) }), ['One', 'two', 'three'])
    const structured = '<d><p>One</p><p>two</p></d>'
    assert.deepEqual(sentences(structured, { outlineDetection: false }), ['⟦0⟧One⟦1⟧⟦2⟧two⟦3⟧'])
    assert.deepEqual(sentences(structured, { nonSplittingTags: new Set(['p']) }), ['⟦0⟧One⟦1⟧⟦2⟧two⟦3⟧'])
  })

  test('what is ignored is one whole, however it is nested', () => {
    const source = '<d>Keep <x>this <x>one</x> <y/>too</x> as <x/> it is</d>'
    const pieces = markupPieces(source, { ...options, ignoreTags: new Set(['x']) })
    assert.deepEqual(pieces, [
      '<d>',
      {
        parts: ['Keep ', { text: '<x>this <x>one</x> <y/>too</x>' }, ' as ', { text: '<x/>' }, ' it is'],
      },
      '</d>',
    ])
  })

  test('references are decoded, those to unknown entities and all that is no text stay', () => {
    assert.deepEqual(sentences('a &lt; b &#233; &amp; c'), ['a < b é & c'])
    assert.deepEqual(sentences('a &own; b<!-- c. d --> <![CDATA[e. f]]> g'), ['a ⟦0⟧ b⟦1⟧ ⟦2⟧ g'])
    assert.deepEqual(sentences('<?xml version="1.0"?>\n<!DOCTYPE a>\n<a>b</a>'), ['b'])
  })

  test('what is not well-formed is refused', () => {
    for (const source of [
      '<a>b',
      'a</b>',
      '<a><b></a></b>',
      'a < b',
      'a & b',
      '<a b=c>d</a>',
      '<a b>d</a>',
      '<a b="<">d</a>',
      '<a',
      '<!-- a',
      '<![CDATA[ a',
      '<?a',
      '<1>a</1>',
    ]) {
      assert.throws(() => sentences(source), MarkupError, source)
    }
  })
})

describe('HTML', () => {
  const html = { markup: 'html', split: 'punctuation' } as const

  test('blocks part sentences, phrasing stands in them', () => {
    const source = '<p>One <b>two</b><p>three<br>four\nfive <img src=x> six<ul><li>seven</ul>'
    assert.deepEqual(sentences(source, html), ['One ⟦0⟧two⟦1⟧', 'three', 'four five ⟦0⟧ six', 'seven'])
  })

  test('scripts, code and what says so are kept', () => {
    const source =
      '<script>if (a<b) "x. Y"</script><style>p {}</style><pre>a. b</pre>Use <code>x. y</code> or <i class="a notranslate">z</i> <span translate="no">q</span>.'
    assert.deepEqual(sentences(source, html), ['Use ⟦0⟧ or ⟦1⟧ ⟦2⟧.'])
  })

  test('whatever it is, all of it comes through', () => {
    for (const source of [
      '<p>a < b',
      '</p>x</div>',
      '<a href=b>c',
      '<!doctype html><title>A &amp; b</title>',
      '<b',
      '&nbsp;a',
    ]) {
      const pieces = markupPieces(source, { ...options, ...html })
      const text = pieces.map((piece) =>
        typeof piece === 'string'
          ? piece
          : piece.parts.map((part) => (typeof part === 'string' ? part : part.text)).join(''),
      )
      assert.equal(text.join('').replaceAll('&amp;', '&').replaceAll('&lt;', '<'), source.replaceAll('&amp;', '&'))
    }
  })
})

test('no mark-up takes long', () => {
  const started = process.cpuUsage()
  for (const piece of ['<b>', '<code>', '<p>', '<a ', '&amp;', '<a b="c" ', '<b>a</b>. ', '</b>']) {
    markupPieces(piece.repeat(131_072 / piece.length), { ...options, markup: 'html' })
  }
  assert.ok(process.cpuUsage(started).user < 8_000_000)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { languageOf, markdown, safeAddress } from './render.ts'

const html = (source: string) => markdown.parse(source, { async: false }).trim()

/** The only tags and attributes that rendering may give; sanitising is the second wall and not part of this. */
const HARMLESS =
  /^(?:[^<]|<\/?(?:p|h[1-6]|ul|ol|li|blockquote|hr|br|pre|code|div|span|table|thead|tr|th|td|strong|em|del|sub|sup|kbd|b|i|u|s|mark)>|<\/a>|<a href="(?:https?|mailto):[^"<>]*" title="[^"<>]*" target="_blank" rel="noopener noreferrer nofollow">)*$/

const HOSTILE = [
  '<script>alert(1)</script>',
  'a <img src=x onerror=alert(1)> b',
  '<b onmouseover=alert(1)>bold</b>',
  '<svg/onload=alert(1)>',
  '<iframe src="https://example.com">',
  '<a href="javascript:alert(1)">x</a>',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](java\tscript:alert(1))',
  '[x](data:text/html,<script>alert(1)</script>)',
  '[x](vbscript:msgbox(1))',
  '[x](//example.com/a)',
  '[x](/v1/keys)',
  '[x](https://example.com/"onmouseover="alert(1))',
  '[x](https://example.com "title\\" onload=\\"alert(1)")',
  '![x](https://example.com/?secret=1)',
  '![x" onerror="alert(1)](https://example.com)',
  '[x]: javascript:alert(1)\n\n[x]',
  '<https://example.com/<script>>',
  '<javascript:alert(1)>',
  '`<script>alert(1)</script>`',
  '# <script>alert(1)</script>',
  '<style>*{display:none}</style>',
  '<div style="position:fixed">x</div>',
  '<!-- <script>alert(1)</script> -->',
  '<![CDATA[<script>alert(1)</script>]]>',
]

for (const source of HOSTILE) {
  test(`can do nothing: ${source}`, () => assert.match(html(source), HARMLESS))
}

test('a code block shows what it holds and nothing of it runs', () => {
  const rendered = html('```"><script>alert(1)</script>\n</code></pre><script>alert(2)</script>\n```')
  assert.doesNotMatch(rendered, /<script|"><\//)
  assert.match(rendered, /&#60;script&#62;alert\(2\)/)
})

test('a table cell is text', () => {
  const rendered = html('| <img src=x onerror=alert(1)> |\n|---|\n| <script>alert(1)</script> |')
  assert.doesNotMatch(rendered, /<img|<script/)
  assert.match(rendered, /<table>/)
})

test('ordinary markdown is ordinary HTML', () => {
  assert.equal(html('**a** *b* `c`'), '<p><strong>a</strong> <em>b</em> <code>c</code></p>')
  assert.equal(html('H<sub>2</sub>O'), '<p>H<sub>2</sub>O</p>')
  assert.match(html('[a](https://example.com/b)'), /^<p><a href="https:\/\/example\.com\/b"[^>]*>a<\/a><\/p>$/)
  assert.match(html('- [x] done'), /☑/)
})

test('only addresses of the web and of mail are addresses', () => {
  assert.equal(safeAddress('https://example.com/a b'), 'https://example.com/a%20b')
  assert.equal(safeAddress('mailto:a@example.com'), 'mailto:a@example.com')
  for (const href of ['file:///etc/passwd', 'blob:https://a/b', 'about:blank', '', 'a', '#a', '?a']) {
    assert.equal(safeAddress(href), null, href)
  }
})

test('the language of a code block is a name', () => {
  assert.equal(languageOf('c++ title="a"'), 'c++')
  assert.equal(languageOf(undefined), '')
  assert.equal(languageOf('"><script>'), '')
})

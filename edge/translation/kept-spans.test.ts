import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptApart } from './kept-spans.ts'

const kept = (text: string, language = 'en') =>
  keptApart(text, language).flatMap((part) => (typeof part === 'string' ? [] : [part.text]))

test('placeholders of programs are kept', () => {
  for (const placeholder of [
    '{name}',
    '{0}',
    '{{count}}',
    '$' + '{x}',
    '%{name}',
    '%(count)d',
    '%s',
    '%1$d',
    '%-5.2f',
    '%lu',
    '%%',
    '{n, plural, one {# file} other {# files}}',
  ]) {
    assert.deepEqual(kept(`You have ${placeholder} new.`), [placeholder])
  }
  for (const none of ['100 % of it', 'up 5% so far', '{', 'a } b', '$5']) assert.deepEqual(kept(none), [], none)
})

test('addresses, code, tags and references are kept, without the full stop after them', () => {
  assert.deepEqual(kept('See https://a.example/b?c=(d).'), ['https://a.example/b?c=(d'])
  assert.deepEqual(kept('See www.example.org, or mail a.b+c@example.co.uk.'), [
    'www.example.org',
    'a.b+c@example.co.uk',
  ])
  assert.deepEqual(kept('Run `ls -la` or ```\nrm\n``` now'), ['`ls -la`', '```\nrm\n```'])
  assert.deepEqual(kept('A <b class="x">bold</b> &amp; 1 < 2'), ['<b class="x">', '</b>', '&amp;'])
})

test('emoji, other scripts and what is too long for a word are kept', () => {
  assert.deepEqual(kept('Hi 🙂 👍🏽 👨‍👩‍👧 🇫🇷 ok'), ['🙂', '👍🏽', '👨‍👩‍👧', '🇫🇷'])
  assert.deepEqual(kept('Say مرحبا بالعالم or Привет'), ['مرحبا بالعالم', 'Привет'])
  assert.deepEqual(kept('Say hello', 'ru'), ['Say hello'])
  assert.deepEqual(kept('Größe, naïve, œuvre, e\u0301'), [])
  assert.deepEqual(kept(`An ${'a'.repeat(100)} word`), [])
  assert.deepEqual(kept(`An ${'a'.repeat(300)} word`), ['a'.repeat(300)])
  assert.deepEqual(kept('我'.repeat(300), 'zh'), [])
})

test('what looks like our own placeholder is kept', () => {
  assert.deepEqual(kept('a ⟦0⟧ b ⟧ c ⟦'), ['⟦0⟧', '⟧', '⟦'])
})

test('no text takes long', () => {
  const started = process.cpuUsage()
  for (const piece of ['{', '`', '<', '%', '{a', 'a@', 'a.', '&a', 'http://', '[α ', '``` ', '%(', '⟦', '👨‍']) {
    keptApart(piece.repeat(131_072 / piece.length), 'en')
  }
  assert.ok(process.cpuUsage(started).user < 2_000_000)
})

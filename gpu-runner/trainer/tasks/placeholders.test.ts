import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../random.ts'
import { commonSpans, renumbered, withPlaceholders } from './placeholders.ts'

test('spans that are once on both sides are found', () => {
  const spans = (source: string, target: string) => commonSpans({ source, target })
  assert.deepEqual(spans('Open %s in <b>LibreOffice</b>.', 'Ouvrez %s dans <b>LibreOffice</b>.'), [
    '%s',
    '<b>',
    'LibreOffice',
    '</b>',
  ])
  assert.deepEqual(spans('See https://a.org/b?c=1 at 12:30', 'Voir https://a.org/b?c=1 à 12 h 30'), [
    'https://a.org/b?c=1',
    '12',
    '30',
  ])
  assert.deepEqual(spans('1 and 1', '1 et 1'), [])
  assert.deepEqual(spans('Twice 7', '7 fois 7'), [])
  assert.deepEqual(spans('The file', 'Le fichier'), [])
})

test('both sides have the same placeholders, in the order of their own', () => {
  const pair = { source: 'Copy config.xml to {path} 12 times.', target: 'Copiez 12 fois config.xml vers {path}.' }
  let made = 0
  for (let seed = 0; seed < 50; seed++) {
    const other = withPlaceholders(pair, new Random(seed))
    if (!other) continue
    made++
    const found = (text: string) => (text.match(/⟦\d+⟧/g) ?? []).toSorted()
    assert.ok(found(other.source).length > 0)
    assert.deepEqual(found(other.source), found(other.target))
    assert.equal(new Set(found(other.source)).size, found(other.source).length)
    assert.match(other.source, /^Copy .+ to .+ times\.$/)
    assert.match(other.target, /^Copiez .+ fois .+ vers .+\.$/)
  }
  assert.ok(made > 40)
  assert.equal(withPlaceholders({ source: 'The file', target: 'Le fichier' }, new Random(1)), undefined)
})

test('placeholders get other numbers, the same on both sides', () => {
  const pair = { source: 'Open ⟦0⟧this⟦1⟧.', target: '⟦0⟧Ceci⟦1⟧ est ouvert.' }
  const numbers = new Set<string>()
  for (let seed = 0; seed < 20; seed++) {
    const { source, target } = renumbered(pair, new Random(seed))
    const [, first, second] = /^Open ⟦(\d+)⟧this⟦(\d+)⟧\.$/.exec(source) ?? []
    assert.ok(first !== undefined && first !== second)
    assert.equal(target, `⟦${first}⟧Ceci⟦${second}⟧ est ouvert.`)
    numbers.add(first)
  }
  assert.ok(numbers.size > 5)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromQuery, keep, type KeptTranslation, readKept, toQuery } from './kept-translation.ts'

const KEPT: KeptTranslation = { text: 'a + b = 100 %\n& more', source: 'en', target: 'fr', glossary: null, model: null }

test('an address says what is translated, and is understood again', () => {
  assert.equal(toQuery({ ...KEPT, text: 'Open it.' }), '?from=en&to=fr#text=Open%20it.')
  assert.deepEqual(fromQuery(toQuery(KEPT)), { text: KEPT.text, source: 'en', target: 'fr', model: null })
  assert.deepEqual(fromQuery(toQuery({ ...KEPT, source: null })), {
    text: KEPT.text,
    source: null,
    target: 'fr',
    model: null,
  })
  assert.deepEqual(fromQuery(toQuery({ ...KEPT, text: '', model: 'mine' })), {
    source: 'en',
    target: 'fr',
    model: 'mine',
  })
})

test('a long text is not in the address, and what is no language is passed over', () => {
  assert.deepEqual(fromQuery(toQuery({ ...KEPT, text: 'a'.repeat(501) })), { source: 'en', target: 'fr', model: null })
  assert.deepEqual(fromQuery('?from=en&to=<b>'), {})
  assert.deepEqual(fromQuery(''), {})
})

test('what is kept is read again; what is broken is as at first', () => {
  const items = new Map<string, string>()
  const storage = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
  }
  const empty = { text: '', source: null, target: null, glossary: null, model: null }
  assert.deepEqual(readKept(storage), empty)
  keep(storage, KEPT)
  assert.deepEqual(readKept(storage), KEPT)
  items.set('tandem-translation', '{"text": 3, "source": "en", "target": [], "glossary":')
  assert.deepEqual(readKept(storage), empty)
  items.set('tandem-translation', '{"text": 3, "source": "en", "target": []}')
  assert.deepEqual(readKept(storage), { ...empty, source: 'en' })
})

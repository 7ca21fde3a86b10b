import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DeepLClient, GlossaryEntries } from 'deepl-node'
import { type Ask, type Edge, startEdge } from '../testing/edge.ts'
import { TRANSLATION_MODELS } from '../testing/stub-runner.ts'

const PAIR = { source_lang: 'en', target_lang: 'fr' }
const TSV = { ...PAIR, entries: 'window\tcroisée\nnew file\tdossier neuf', entries_format: 'tsv' }

describe('glossaries', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
    edge.runner.models = TRANSLATION_MODELS
  })
  after(() => edge.stop())
  const json = async (path: string, ask: Ask = {}) => {
    const response = await edge.ask(path, ask)
    assert.ok(response.ok, await response.clone().text())
    return (await response.json()) as Record<string, unknown>
  }
  const refused = async (path: string, ask: Ask) => {
    const response = await edge.ask(path, ask)
    return `${response.status} ${((await response.json()) as { message: string }).message}`
  }
  const make = async (body: object = {}) =>
    String((await json('/v2/glossaries', { body: { name: 'Desktop', ...TSV, ...body } })).glossary_id)
  const translate = (body: object) =>
    json('/v2/translate', { body: { source_lang: 'EN', target_lang: 'FR', text: ['The Window is new.'], ...body } })
  const textOf = (answer: Record<string, unknown>) =>
    (answer as { translations: { text: string }[] }).translations[0]?.text

  test('a glossary’s terms stand in the translation', async () => {
    const glossary_id = await make()
    assert.equal(textOf(await translate({ glossary_id })), 'Le Croisée est nouveau.')
    const text = ['<p>Open the <b>window</b> &amp; the new file, windows</p>']
    assert.equal(
      textOf(await translate({ glossary_id, text, tag_handling: 'html' })),
      '<p>Ouvrez le <b>croisée</b> &amp; le dossier neuf, windows</p>',
    )
    const other = await make({ entries: 'window\tvitre\nworld\tunivers' })
    const several = await translate({ glossary_ids: [glossary_id, other], text: ['window world'] })
    assert.equal(textOf(several), 'croisée univers')
  })

  test('a glossary that does not fit is refused', async () => {
    const glossary_id = await make()
    const ask = (body: object) => refused('/v2/translate', { body: { text: ['a'], target_lang: 'FR', ...body } })
    assert.match(await ask({ glossary_id }), /^400 Use of a glossary requires the source_lang parameter/)
    assert.match(await ask({ glossary_id: 'none', source_lang: 'EN' }), /^404 There is no glossary 'none'/)
    assert.match(
      await ask({ glossary_id, source_lang: 'FR', target_lang: 'EN-GB' }),
      /^404 .* has no dictionary from 'fr' to 'en'/,
    )
    assert.match(
      await ask({ glossary_id, glossary_ids: [glossary_id], source_lang: 'EN' }),
      /^400 .*do not go together/,
    )
    const { key } = await edge.newKey({ owner: 'another' })
    const body = { text: ['a'], target_lang: 'FR', source_lang: 'EN', glossary_id }
    assert.match(await refused('/v2/translate', { body, key }), /^404/)
  })

  test('entries that are none are refused, by their place', async () => {
    for (const [body, message] of [
      [{ entries: 'a\tb\na\tc' }, /key with the index 1 duplicates key with the index 0/],
      [{ entries: 'a\tb\nc' }, /key with the index 1 misses tab separator/],
      [{ entries: 'a\tb\tc' }, /several tab separators/],
      [{ entries: 'a\t' }, /an empty term/],
      [{ entries: ' \tb' }, /an empty term/],
      [{ entries: '\n \n' }, /there are none/],
      [{ entries: '' }, /'entries'/],
      [{ entries: `a\t${'b'.repeat(1025)}` }, /more than 1024/],
      [{ entries: 'a\tb\u0007' }, /a character that no term may have/],
      [{ entries: 'a,b,c', entries_format: 'csv' }, /has 3 fields, not 2 or 4/],
      [{ entries: 'a,b,fr,en', entries_format: 'csv' }, /is from 'fr' to 'en'/],
      [{ entries: 'a,"b', entries_format: 'csv' }, /Invalid glossary entries/],
      [{ entries_format: 'xlsx' }, /'entries_format'/],
      [{ source_lang: 'xx' }, /there is no language 'xx'/],
      [{ target_lang: 'en-US' }, /Source and target language are equal/],
      [{ name: '' }, /'name'/],
    ] as const) {
      const refusal = await refused('/v2/glossaries', { body: { name: 'x', ...TSV, ...body } })
      assert.match(refusal, /^400 /)
      assert.match(refusal, message)
    }
  })

  test('CSV may have quotes and the languages', async () => {
    const entries = 'a,"b, ""c"""\r\nd,e\r\n'
    const id = await make({ entries, entries_format: 'csv' })
    const response = await edge.ask(`/v2/glossaries/${id}/entries`)
    assert.equal(response.headers.get('content-type'), 'text/tab-separated-values; charset=utf-8')
    assert.equal(await response.text(), 'a\tb, "c"\nd\te')
    await make({ entries: 'a,b,en,fr\n', entries_format: 'csv' })
  })

  test('version 3 has several dictionaries', async () => {
    const back = { source_lang: 'fr', target_lang: 'en', entries: 'fichier\trecord', entries_format: 'tsv' }
    const made = await json('/v3/glossaries', { body: { name: 'Both', dictionaries: [TSV, back] } })
    const path = `/v3/glossaries/${made.glossary_id}`
    assert.deepEqual(made.dictionaries, [
      { ...PAIR, entry_count: 2 },
      { source_lang: 'fr', target_lang: 'en', entry_count: 1 },
    ])
    assert.deepEqual(await json(path), made)
    assert.equal((await edge.ask(`/v2/glossaries/${made.glossary_id}`)).status, 404)
    const more = { ...TSV, entries: 'window\tvitre\nworld\tunivers' }
    const patched = await json(path, { method: 'PATCH', body: { name: 'Renamed', dictionaries: [more] } })
    assert.deepEqual(
      [patched.name, (patched.dictionaries as { entry_count: number }[])[0]?.entry_count],
      ['Renamed', 3],
    )
    const query = '?source_lang=en&target_lang=fr'
    const { dictionaries } = await json(`${path}/entries${query}`)
    const entries = 'window\tvitre\nnew file\tdossier neuf\nworld\tunivers'
    assert.deepEqual(dictionaries, [{ ...PAIR, entries, entries_format: 'tsv' }])
    const put = await json(`${path}/dictionaries`, {
      method: 'PUT',
      body: { ...PAIR, entries: 'a\tb', entries_format: 'tsv' },
    })
    assert.deepEqual(put, { ...PAIR, entry_count: 1 })
    assert.equal((await edge.ask(`${path}/dictionaries${query}`, { method: 'DELETE' })).status, 204)
    assert.equal((await edge.ask(`${path}/dictionaries${query}`, { method: 'DELETE' })).status, 404)
    assert.equal((await edge.ask(path, { method: 'DELETE' })).status, 204)
    assert.equal((await edge.ask(path)).status, 404)
    const twice = await refused('/v3/glossaries', { body: { name: 'x', dictionaries: [TSV, TSV] } })
    assert.match(twice, /^400 Two dictionaries are for one pair/)
  })

  test('DeepL’s own client works unchanged', async () => {
    const client = new DeepLClient(edge.key, { serverUrl: edge.url, maxRetries: 0 })
    const entries = new GlossaryEntries({ entries: { window: 'croisée' } })
    const glossary = await client.createGlossary('Mine', 'en', 'fr', entries)
    assert.deepEqual([glossary.ready, glossary.entryCount, glossary.sourceLang], [true, 1, 'en'])
    assert.ok(glossary.creationTime.getTime() <= Date.now())
    assert.equal((await client.translateText('Open the window.', 'en', 'fr', { glossary })).text, 'Ouvrez le croisée.')
    assert.deepEqual((await client.getGlossaryEntries(glossary)).entries(), { window: 'croisée' })
    assert.ok((await client.listGlossaries()).some(({ glossaryId }) => glossaryId === glossary.glossaryId))
    await client.deleteGlossary(glossary)
    await assert.rejects(client.getGlossary(glossary.glossaryId), /Glossary not found/)
    const dictionary = { sourceLangCode: 'en', targetLangCode: 'fr', entries } as const
    const several = await client.createMultilingualGlossary('Ours', [dictionary])
    assert.deepEqual(several.dictionaries, [{ sourceLangCode: 'en', targetLangCode: 'fr', entryCount: 1 }])
    await client.updateMultilingualGlossaryDictionaryWithCsv(several, 'en', 'fr', 'world,univers\n')
    const read = await client.getMultilingualGlossaryDictionaryEntries(several, 'en', 'fr')
    assert.deepEqual(read.entries.entries(), { window: 'croisée', world: 'univers' })
    await client.replaceMultilingualGlossaryDictionary(several, dictionary)
    await client.updateMultilingualGlossaryName(several.glossaryId, 'Renamed')
    assert.ok((await client.listMultilingualGlossaries()).some(({ name }) => name === 'Renamed'))
    await client.deleteMultilingualGlossaryDictionary(several, 'en', 'fr')
    await client.deleteMultilingualGlossary(several)
  })
})

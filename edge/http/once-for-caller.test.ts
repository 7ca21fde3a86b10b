/** Every POST that makes something makes it once for an `Idempotency-Key`: from the router's own list. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ApiKey } from '#protocol/keys.ts'
import { operations } from '../app.ts'
import { dialectOf } from './dialect.ts'
import { type Edge, startEdge } from '../testing/edge.ts'
import { saysResumably } from '../testing/stub-runner.ts'

/** Those that make nothing: they change what is there, compute an answer, or sign in. A new one has to find its place here. */
const MAKE_NOTHING = [
  '/detect',
  '/session',
  '/translate',
  '/translate_file',
  '/v1/anomalies',
  '/v1/conversations/{id}',
  '/v1/conversations/{id}/head',
  '/v1/detokenize',
  '/v1/embeddings',
  '/v1/fine_tuning/jobs/{id}/cancel',
  '/v1/fine_tuning/jobs/{id}/pause',
  '/v1/fine_tuning/jobs/{id}/resume',
  '/v1/images/enhancements',
  '/v1/keys/{id}',
  '/v1/latents',
  '/v1/latents/decode',
  '/v1/latents/interpolate',
  '/v1/latents/map',
  '/v1/responses/{id}/cancel',
  '/v1/summaries',
  '/v1/tokenize',
  '/v1/uploads/{id}/cancel',
  '/v2/document/{id}',
  '/v2/document/{id}/cancel',
  '/v2/document/{id}/result',
  '/v2/translate',
]
/** Those whose own tests ask twice. */
const TRIED_ELSEWHERE = [
  '/v1/files',
  '/v1/fine_tuning/jobs',
  '/v1/images/generations',
  '/v1/images/variations',
  '/v1/uploads',
  '/v1/uploads/{id}/complete',
  '/v1/uploads/{id}/parts',
  '/v2/document',
]

describe('the same Idempotency-Key', () => {
  let edge: Edge
  let conversation = ''
  let item = ''
  before(async () => {
    edge = await startEdge()
    edge.runner.script = saysResumably(['One', ' two'])
    const made = await edge.ask('/v1/conversations', { body: {} })
    conversation = ((await made.json()) as { id: string }).id
    const items = await edge.ask(`/v1/conversations/${conversation}/items`, { body: ITEMS })
    item = ((await items.json()) as { data: { id: string }[] }).data[0]?.id ?? ''
  })
  after(() => edge.stop())

  const ITEMS = { items: [{ role: 'user', content: 'x' }] }
  const ENTRIES = { source_lang: 'en', target_lang: 'fr', entries: 'a\tb', entries_format: 'tsv' }
  const MAKE: Readonly<Record<string, () => { body: object; other: object | null }>> = {
    '/v1/chat/completions': () => vary({ model: 'stub', messages: [{ role: 'user', content: 'x' }] }),
    '/v1/completions': () => vary({ model: 'stub', prompt: 'x' }),
    '/v1/responses': () => vary({ model: 'stub', input: 'x' }),
    '/v1/conversations': () => ({ body: ITEMS, other: {} }),
    '/v1/conversations/{id}/items': () => ({ body: ITEMS, other: { items: [{ role: 'user', content: 'y' }] } }),
    '/v1/conversations/{id}/branch': () => ({ body: { item_id: item }, other: null }),
    '/v1/conversations/{id}/share': () => ({ body: {}, other: null }),
    '/v2/glossaries': () => ({ body: { name: 'a', ...ENTRIES }, other: { name: 'b', ...ENTRIES } }),
    '/v3/glossaries': () => ({
      body: { name: 'a', dictionaries: [ENTRIES] },
      other: { name: 'b', dictionaries: [ENTRIES] },
    }),
    '/v1/keys': () => ({ body: { name: 'a', scopes: ['chat'] }, other: { name: 'b', scopes: ['chat'] } }),
  }
  const vary = (body: object) => ({ body, other: { ...body, seed: 1 } })

  test('is known of each POST what it does', () => {
    const posts = operations.filter(({ method }) => method === 'POST').map(({ path }) => path)
    assert.deepEqual(posts.sort(), [...MAKE_NOTHING, ...TRIED_ELSEWHERE, ...Object.keys(MAKE)].sort())
    for (const { method, path, errors = [] } of operations) {
      const isKeyed = method === 'POST' && !MAKE_NOTHING.includes(path)
      assert.equal(errors.includes('idempotency_key_reused'), isKeyed, path)
    }
  })

  for (const [path, make] of Object.entries(MAKE)) {
    test(`has the same answer, and another body none: ${path}`, async () => {
      const { body, other } = make()
      const headers = { 'idempotency-key': `key of ${path}`.replaceAll(' ', '-') }
      const ask = (sent: object) => edge.ask(path.replace('{id}', conversation), { body: sent, headers })
      const both = await Promise.all([ask(body), ask(body)])
      // The second may be told that the first is at work; then it asks again.
      const answers = await Promise.all(both.map(async (answer) => (answer.status === 409 ? ask(body) : answer)))
      const texts = await Promise.all(answers.map((answer) => answer.text()))
      assert.deepEqual(
        answers.map(({ status }) => status),
        dialectOf(path) === 'deepl' ? [201, 201] : [200, 200],
        texts.join(),
      )
      assert.equal(texts[0], texts[1])
      if (other === null) return
      const refused = await ask(other)
      assert.equal(refused.status, 409)
      assert.match(await refused.text(), /This Idempotency-Key was used for another request already/)
    })
  }

  test('gives a key and a link again to who asked, and to nobody else; the database has neither', async () => {
    const { key: another } = await edge.newKey({ owner: 'local' })
    for (const [path, body] of [
      ['/v1/keys', { name: 'secret', scopes: ['chat'] }],
      [`/v1/conversations/${conversation}/share`, {}],
    ] as const) {
      const headers = { 'idempotency-key': `secret-${path}` }
      const text = await (await edge.ask(path, { body, headers })).text()
      assert.equal(await (await edge.ask(path, { body, headers })).text(), text)
      const others = await edge.ask(path, { body, headers, key: another })
      assert.equal(others.status, 200)
      assert.notEqual(await others.text(), text)
      const secret = /(?:tdm_|\/shared\/)([\w-]{43})/.exec(text)?.[1] ?? ''
      assert.equal(secret.length, 43)
      const { results } = await edge.database.prepare('SELECT * FROM idempotent_answers').all()
      assert.ok(results.length > 0 && !JSON.stringify(results).includes(secret))
    }
    const { data } = (await (await edge.ask('/v1/keys?limit=100')).json()) as { data: ApiKey[] }
    assert.equal(data.filter(({ name }) => name === 'secret').length, 2)
  })
})

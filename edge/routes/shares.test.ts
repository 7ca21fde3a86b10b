import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { conversationSchema } from '#protocol/conversations.ts'
import { newShareSchema, shareDeletedSchema, sharedConversationSchema, shareListSchema } from '#protocol/shares.ts'
import { type Conversations, conversationsOf, ROOT, textsOf } from '../testing/conversations.ts'
import { type Edge, startEdge } from '../testing/edge.ts'

describe('a shared conversation', () => {
  let edge: Edge
  let mine: Conversations
  let theirs: Conversations
  before(async () => {
    edge = await startEdge()
    mine = conversationsOf(edge, edge.key)
    theirs = conversationsOf(edge, (await edge.newKey({ owner: 'somebody else' })).key)
  })
  after(() => edge.stop())

  const share = (id: string) => mine.read(newShareSchema, `${ROOT}/${id}/share`, { method: 'POST' })
  const publicPath = (url: string) => `/v1${new URL(url).pathname}`
  const read = (url: string, query = '') => mine.read(sharedConversationSchema, publicPath(url) + query, { key: null })
  const refusal = (url: string) => mine.refusal(publicPath(url), { key: null })

  it('is read by whoever has the link, and shows nothing else', async () => {
    const { id } = await mine.create('Tides', 'Why two?', 'The Moon.')
    const hidden = { items: [{ role: 'system', content: 'instructions' }] }
    assert.equal((await edge.ask(`${ROOT}/${id}/items`, { body: hidden })).status, 200)
    await mine.read(conversationSchema, `${ROOT}/${id}`, { body: { metadata: { title: 'Tides', note: 'private' } } })
    const { url } = await share(id)
    assert.match(url, new RegExp(`^${edge.url}/shared/[A-Za-z0-9_-]{43}$`))
    const response = await edge.ask(publicPath(url), { key: null })
    const text = await response.text()
    assert.equal(response.headers.get('cache-control'), 'no-store')
    assert.equal(response.headers.get('referrer-policy'), 'no-referrer')
    assert.equal(response.headers.get('x-robots-tag'), 'noindex, nofollow')
    const { data, title, has_more } = await read(url)
    assert.deepEqual([title, textsOf(data), has_more], ['Tides', ['Why two?', 'The Moon.'], false])
    for (const secret of ['instructions', 'private', 'local', id, 'msg_', 'conv_']) assert.ok(!text.includes(secret))
    const document = await edge.ask(new URL(url).pathname, { key: null })
    assert.deepEqual([document.status, document.headers.get('x-robots-tag')], [200, 'noindex, nofollow'])
    assert.equal(document.headers.get('referrer-policy'), 'no-referrer')
  })

  it('stays as it was when it was shared', async () => {
    const { id } = await mine.create('Before', 'a', 'b')
    const [, b] = await mine.items(id)
    const { url } = await share(id)
    await mine.add(id, 'later')
    await mine.add(id, 'another version', 'root')
    await mine.read(conversationSchema, `${ROOT}/${id}`, { body: { metadata: { title: 'After' } } })
    const { data, title } = await read(url)
    assert.deepEqual([title, textsOf(data)], ['Before', ['a', 'b']])
    await mine.read(conversationSchema, `${ROOT}/${id}/items/${b?.id}`, { method: 'DELETE' })
    assert.deepEqual(textsOf((await read(url)).data), ['a'])
  })

  it('comes a hundred messages at a time', async () => {
    const { id } = await mine.create('Long')
    for (let i = 0; i < 6; i++) {
      const items = Array.from({ length: 20 }, (_, k) => ({ role: 'user', content: String(20 * i + k) }))
      await edge.ask(`${ROOT}/${id}/items`, { body: { items } })
    }
    const { url } = await share(id)
    const first = await read(url)
    const rest = await read(url, `?offset=${first.data.length}`)
    assert.deepEqual([first.data.length, first.has_more, rest.has_more], [100, true, false])
    assert.deepEqual(
      textsOf([...first.data, ...rest.data]),
      Array.from({ length: 120 }, (_, i) => String(i)),
    )
    assert.deepEqual((await read(url, '?offset=1000')).data, [])
  })

  it('is gone when its link is revoked, or with the conversation', async () => {
    const { id } = await mine.create('', 'a')
    const [one, two] = [await share(id), await share(id)]
    assert.notEqual(one.url, two.url)
    const path = `${ROOT}/${id}/share`
    const listed = await mine.read(shareListSchema, path)
    assert.deepEqual(
      listed.data.map((each) => each.id),
      [two.id, one.id],
    )
    await mine.read(shareDeletedSchema, `${path}/${one.id}`, { method: 'DELETE' })
    assert.deepEqual(await refusal(one.url), [404, 'not_found', null])
    assert.deepEqual(await mine.refusal(`${path}/${one.id}`, { method: 'DELETE' }), [404, 'not_found', null])
    assert.deepEqual(textsOf((await read(two.url)).data), ['a'])
    await edge.ask(`${ROOT}/${id}`, { method: 'DELETE' })
    assert.deepEqual(await refusal(two.url), [404, 'not_found', null])
  })

  it('has no more links than it may', async () => {
    const { id } = await mine.create('', 'a')
    for (let i = 0; i < 20; i++) await share(id)
    const path = `${ROOT}/${id}/share`
    assert.deepEqual(await mine.refusal(path, { method: 'POST' }), [400, 'invalid_request', null])
    const [first] = (await mine.read(shareListSchema, path)).data
    await mine.read(shareDeletedSchema, `${path}/${first?.id}`, { method: 'DELETE' })
    await share(id)
  })

  it('is shared and revoked by its owner alone', async () => {
    const { id } = await mine.create('', 'a')
    const { id: link, url } = await share(id)
    const own = await theirs.create('', 'theirs')
    for (const [method, path] of [
      ['GET', `${ROOT}/${id}/share`],
      ['POST', `${ROOT}/${id}/share`],
      ['DELETE', `${ROOT}/${id}/share/${link}`],
      ['DELETE', `${ROOT}/${own.id}/share/${link}`],
    ] as const) {
      assert.deepEqual(await theirs.refusal(path, { method }), [404, 'not_found', null])
    }
    assert.deepEqual(textsOf((await read(url)).data), ['a'])
  })

  it('is not found by guessing', async () => {
    for (const token of ['a', 'A'.repeat(43), 'A'.repeat(44)]) {
      assert.deepEqual(await refusal(`${edge.url}/shared/${token}`), [404, 'not_found', null])
    }
    assert.deepEqual(await mine.refusal(`/v1/shared/${'A'.repeat(43)}?offset=a`, { key: null }), [
      400,
      'invalid_value',
      'offset',
    ])
  })

  it('leaves no link in the database', async () => {
    const { id } = await mine.create('', 'a')
    const token = (await share(id)).url.split('/').at(-1) ?? ''
    for (const table of ['shares', 'idempotent_answers']) {
      const { results } = await edge.database.prepare(`SELECT * FROM ${table}`).all()
      assert.ok(!JSON.stringify(results).includes(token))
    }
  })
})

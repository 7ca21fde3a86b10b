import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as v from 'valibot'
import {
  type Conversation,
  type ConversationItem,
  conversationItemListSchema,
  conversationListSchema,
  conversationSchema,
} from '#protocol/conversations.ts'
import { textsOf } from '../testing/conversations.ts'
import { type Ask, type Edge, errorOf, startEdge } from '../testing/edge.ts'

const ROOT = '/v1/conversations'

describe('conversations', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
  })
  after(() => edge.stop())

  const json = async (path: string, ask: Ask = {}): Promise<unknown> => {
    const response = await edge.ask(path, ask)
    const text = await response.text()
    assert.equal(response.status, 200, text)
    return JSON.parse(text)
  }
  const create = async (body: unknown = {}, ask: Ask = {}): Promise<Conversation> =>
    v.parse(conversationSchema, await json(ROOT, { body, ...ask }))
  const list = async (query = '', ask: Ask = {}) => v.parse(conversationListSchema, await json(ROOT + query, ask))
  const items = async (id: string, query = '') =>
    v.parse(conversationItemListSchema, await json(`${ROOT}/${id}/items${query}`))
  const add = async (id: string, ...texts: string[]) =>
    v.parse(
      conversationItemListSchema,
      await json(`${ROOT}/${id}/items`, { body: { items: texts.map((content) => ({ role: 'user', content })) } }),
    )
  const texts = ({ data }: { data: ConversationItem[] }) => textsOf(data)
  const refusal = async (path: string, ask: Ask = {}) => {
    const { status, code, param } = await errorOf(await edge.ask(path, ask))
    return [status, code, param]
  }
  /** The key of somebody with nothing yet. */
  const somebody = async () => (await edge.newKey({ owner: crypto.randomUUID() })).key

  it('are made with metadata and items, and read again', async () => {
    const made = await create({
      metadata: { title: 'Tides' },
      items: [
        { role: 'user', content: 'Why two?' },
        { type: 'message', role: 'assistant', content: 'The Moon.', status: 'incomplete' },
        { role: 'user', content: [{ type: 'input_text', text: 'And the Sun?' }] },
        { role: 'assistant', content: [{ type: 'output_text', text: 'Half as much.', annotations: [] }] },
      ],
    })
    assert.match(made.id, /^conv_[0-9a-f]{32}$/)
    assert.deepEqual(made.metadata, { title: 'Tides' })
    assert.ok(Math.abs(made.created_at - Date.now() / 1000) < 60)
    assert.deepEqual(await json(`${ROOT}/${made.id}`), made)
    const { data } = await items(made.id, '?order=asc')
    assert.ok(data.every(({ id }) => /^msg_[0-9a-f]{32}$/.test(id)))
    const output = { annotations: [], logprobs: [] }
    assert.deepEqual(
      data.map((item) => item.type === 'message' && [item.role, item.status, item.content]),
      [
        ['user', 'completed', [{ type: 'input_text', text: 'Why two?' }]],
        ['assistant', 'incomplete', [{ type: 'output_text', text: 'The Moon.', ...output }]],
        ['user', 'completed', [{ type: 'input_text', text: 'And the Sun?' }]],
        ['assistant', 'completed', [{ type: 'output_text', text: 'Half as much.', ...output }]],
      ],
    )
  })

  it('are made of nothing', async () => {
    assert.deepEqual((await create()).metadata, {})
    const response = await edge.ask(ROOT, { method: 'POST' })
    assert.equal(response.status, 200)
  })

  it('have their metadata replaced', async () => {
    const { id, updated_at } = await create({ metadata: { title: 'a', colour: 'red' } })
    const changed = (await json(`${ROOT}/${id}`, { body: { metadata: { title: 'b' } } })) as Conversation
    assert.deepEqual(changed.metadata, { title: 'b' })
    assert.equal(changed.updated_at, updated_at)
    assert.deepEqual(((await json(`${ROOT}/${id}`, { body: { metadata: null } })) as Conversation).metadata, {})
  })

  it('are deleted with their items', async () => {
    const { id } = await create({ items: [{ role: 'user', content: 'a' }] })
    const gone = await json(`${ROOT}/${id}`, { method: 'DELETE' })
    assert.deepEqual(gone, { id, object: 'conversation.deleted', deleted: true })
    for (const path of [`${ROOT}/${id}`, `${ROOT}/${id}/items`]) {
      assert.deepEqual(await refusal(path), [404, 'not_found', null])
    }
    assert.deepEqual(await refusal(`${ROOT}/${id}`, { method: 'DELETE' }), [404, 'not_found', null])
    const left = edge.database
      .prepare('SELECT count(*) AS n FROM conversation_items WHERE conversation_id = ?')
      .bind(id)
    assert.deepEqual(await left.first(), { n: 0 })
  })

  it('are listed by newest activity, in pages', async () => {
    const key = await somebody()
    const ids: string[] = []
    for (const title of ['a', 'b', 'c', 'd']) ids.push((await create({ metadata: { title } }, { key })).id)
    const [a, b, c, d] = ids
    await json(`${ROOT}/${b}/items`, { key, body: { items: [{ role: 'user', content: 'hi' }] } })
    const first = await list('?limit=3', { key })
    assert.deepEqual(
      [first.data.map(({ id }) => id), first.first_id, first.last_id, first.has_more],
      [[b, d, c], b, c, true],
    )
    const second = await list(`?limit=3&after=${c}`, { key })
    assert.deepEqual([second.data.map(({ id }) => id), second.has_more], [[a], false])
    const oldest = await list('?order=asc&limit=2', { key })
    assert.deepEqual(
      oldest.data.map(({ id }) => id),
      [a, c],
    )
    assert.deepEqual(await list('', { key: await somebody() }), {
      object: 'list',
      data: [],
      first_id: null,
      last_id: null,
      has_more: false,
    })
  })

  it('keep their items in order, in pages', async () => {
    const { id } = await create()
    const added = await add(id, '1', '2', '3')
    assert.deepEqual([texts(added), added.has_more], [['1', '2', '3'], false])
    await add(id, '4')
    assert.deepEqual(texts(await items(id)), ['4', '3', '2', '1'])
    const first = await items(id, '?order=asc&limit=3')
    assert.deepEqual([texts(first), first.has_more], [['1', '2', '3'], true])
    assert.deepEqual(texts(await items(id, `?order=asc&after=${first.last_id}`)), ['4'])
    assert.deepEqual(texts(await items(id, `?after=${first.last_id}`)), ['2', '1'])
  })

  it('give and lose one item', async () => {
    const { id } = await create()
    const [one] = (await add(id, '1', '2')).data
    const path = `${ROOT}/${id}/items/${one?.id}`
    assert.deepEqual(await json(path), one)
    assert.equal(((await json(path, { method: 'DELETE' })) as Conversation).id, id)
    assert.deepEqual(await refusal(path), [404, 'not_found', null])
    assert.deepEqual(await refusal(path, { method: 'DELETE' }), [404, 'not_found', null])
    assert.deepEqual(texts(await items(id)), ['2'])
  })

  it('do not exist for anybody else', async () => {
    const { id } = await create({ items: [{ role: 'user', content: 'mine' }] })
    const [item] = (await items(id)).data
    const key = await somebody()
    const other = await create({}, { key })
    for (const [method, path, body] of [
      ['GET', `${ROOT}/${id}`],
      ['POST', `${ROOT}/${id}`, { metadata: {} }],
      ['DELETE', `${ROOT}/${id}`],
      ['GET', `${ROOT}/${id}/items`],
      ['POST', `${ROOT}/${id}/items`, { items: [{ role: 'user', content: 'a' }] }],
      ['GET', `${ROOT}/${id}/items/${item?.id}`],
      ['DELETE', `${ROOT}/${id}/items/${item?.id}`],
      ['GET', `${ROOT}/${other.id}/items/${item?.id}`],
      ['DELETE', `${ROOT}/${other.id}/items/${item?.id}`],
    ] as const) {
      assert.deepEqual(await refusal(path, { method, body, key }), [404, 'not_found', null], `${method} ${path}`)
    }
    assert.deepEqual(await refusal(`${ROOT}?after=${id}`, { key }), [400, 'invalid_value', 'after'])
    assert.deepEqual(texts(await items(id)), ['mine'])
    assert.ok((await list('', { key })).data.every((conversation) => conversation.id !== id))
  })

  for (const [body, code, param] of [
    [{ title: 'a' }, 'unknown_parameter', 'title'],
    [{ metadata: { a: 1 } }, 'invalid_value', 'metadata.a'],
    [{ metadata: { a: 'a'.repeat(513) } }, 'invalid_value', 'metadata.a'],
    [{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, ''])) }, 'invalid_value', 'metadata'],
    [{ items: Array(21).fill({ role: 'user', content: 'a' }) }, 'invalid_value', 'items'],
    [{ items: [{ role: 'robot', content: 'a' }] }, 'invalid_value', 'items[0].role'],
    [{ items: [{ role: 'user' }] }, 'missing_required_parameter', 'items[0].content'],
    [{ items: [{ role: 'user', content: '\udc00' }] }, 'invalid_value', 'items[0].content'],
    [
      { items: [{ role: 'user', content: [{ type: 'input_image' }] }] },
      'unsupported_parameter',
      'items[0].content[0].type',
    ],
    [{ items: [{ type: 'reasoning', role: 'user', content: 'a' }] }, 'unsupported_parameter', 'items[0].type'],
  ] as const) {
    it(`are not made of ${JSON.stringify(body).slice(0, 60)}`, async () => {
      assert.deepEqual(await refusal(ROOT, { body }), [400, code, param])
    })
  }

  for (const [query, param] of [
    ['?limit=0', 'limit'],
    ['?limit=101', 'limit'],
    ['?limit=1.5', 'limit'],
    ['?limit=a', 'limit'],
    ['?order=up', 'order'],
    ['?after=conv_none', 'after'],
    ['?page=2', 'page'],
  ] as const) {
    it(`are not listed with ${query}`, async () => {
      const [status, , given] = await refusal(ROOT + query)
      assert.deepEqual([status, given], [400, param])
    })
  }

  describe('with an Idempotency-Key', () => {
    const keyed = (name: string, key?: string): Ask => ({
      headers: { 'idempotency-key': name },
      ...(key === undefined ? {} : { key }),
    })

    it('are made once', async () => {
      const key = await somebody()
      const body = { items: [{ role: 'user', content: 'a' }] }
      const made = await Promise.all(Array.from({ length: 5 }, () => create(body, keyed('once', key))))
      assert.equal(new Set(made.map(({ id }) => id)).size, 1)
      assert.equal((await list('', { key })).data.length, 1)
    })

    it('get their items once', async () => {
      const { id } = await create()
      const ask = { body: { items: [{ role: 'user', content: 'a' }] }, ...keyed('items') }
      assert.deepEqual(await json(`${ROOT}/${id}/items`, ask), await json(`${ROOT}/${id}/items`, ask))
      assert.equal((await items(id)).data.length, 1)
    })

    it('are not made of something else', async () => {
      await create({}, keyed('taken'))
      assert.deepEqual(await refusal(ROOT, { body: { metadata: { a: 'b' } }, ...keyed('taken') }), [
        409,
        'idempotency_key_reused',
        null,
      ])
    })

    it('are not mixed up between owners', async () => {
      const mine = await create({}, keyed('same'))
      const theirs = await create({}, keyed('same', await somebody()))
      assert.notEqual(mine.id, theirs.id)
    })
  })
})

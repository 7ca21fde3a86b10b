import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { conversationItemListSchema, conversationSchema } from '#protocol/conversations.ts'
import { type Conversations, conversationsOf, ROOT, textsOf } from '../testing/conversations.ts'
import { type Edge, startEdge } from '../testing/edge.ts'

describe('versions of a conversation', () => {
  let edge: Edge
  let mine: Conversations
  let theirs: Conversations
  before(async () => {
    edge = await startEdge()
    mine = conversationsOf(edge, edge.key)
    theirs = conversationsOf(edge, (await edge.newKey({ owner: 'somebody else' })).key)
  })
  after(() => edge.stop())

  const show = (id: string, item_id: string) =>
    mine.read(conversationSchema, `${ROOT}/${id}/head`, { body: { item_id } })

  it('are made by adding after an earlier item, and each can be shown again', async () => {
    const { id } = await mine.create('', 'a', 'b', 'c', 'd')
    const [a, b, c] = await mine.items(id)
    const other = await mine.add(id, 'c2', b?.id)
    await mine.add(id, 'd2')
    const now = await mine.items(id)
    assert.deepEqual(textsOf(now), ['a', 'b', 'c2', 'd2'])
    assert.deepEqual(
      now.map(({ versions }) => versions),
      [undefined, undefined, [c?.id, other.id], undefined],
    )
    await show(id, c?.id ?? '')
    assert.deepEqual(textsOf(await mine.items(id)), ['a', 'b', 'c', 'd'])
    await show(id, other.id)
    assert.deepEqual(textsOf(await mine.items(id)), ['a', 'b', 'c2', 'd2'])
    const newest = await mine.read(conversationItemListSchema, `${ROOT}/${id}/items?limit=2`)
    assert.deepEqual([textsOf(newest.data), newest.has_more], [['d2', 'c2'], true])
    const rest = await mine.read(conversationItemListSchema, `${ROOT}/${id}/items?after=${newest.last_id}`)
    assert.deepEqual([textsOf(rest.data), rest.has_more], [['b', 'a'], false])
    assert.deepEqual((await mine.items(id))[0]?.id, a?.id)
  })

  it('may differ from the first item on', async () => {
    const { id } = await mine.create('', 'a', 'b')
    const [a] = await mine.items(id)
    const second = await mine.add(id, 'A', 'root')
    const [shown] = await mine.items(id)
    assert.deepEqual([shown?.id, shown?.versions], [second.id, [a?.id, second.id]])
    await show(id, a?.id ?? '')
    assert.deepEqual(textsOf(await mine.items(id)), ['a', 'b'])
  })

  it('are made once with an Idempotency-Key', async () => {
    const { id } = await mine.create('', 'a', 'b')
    const [a] = await mine.items(id)
    const ask = {
      body: { items: [{ role: 'user', content: 'B' }], previous_item_id: a?.id },
      headers: { 'idempotency-key': 'version' },
    }
    for (let i = 0; i < 2; i++) await mine.read(conversationItemListSchema, `${ROOT}/${id}/items`, ask)
    assert.equal((await mine.items(id))[1]?.versions?.length, 2)
  })

  it('close up when an item is deleted', async () => {
    const { id } = await mine.create('', 'a', 'b', 'c')
    const [a, b, c] = await mine.items(id)
    await mine.add(id, 'B', a?.id)
    await mine.read(conversationSchema, `${ROOT}/${id}/items/${b?.id}`, { method: 'DELETE' })
    const after = await mine.items(id)
    assert.deepEqual(textsOf(after), ['a', 'B'])
    assert.equal(after[1]?.versions?.[0], c?.id)
    await mine.read(conversationSchema, `${ROOT}/${id}/items/${after[1]?.id}`, { method: 'DELETE' })
    assert.deepEqual(textsOf(await mine.items(id)), ['a'])
    await mine.read(conversationSchema, `${ROOT}/${id}/items/${a?.id}`, { method: 'DELETE' })
    assert.deepEqual(await mine.items(id), [])
    assert.deepEqual(textsOf([await mine.add(id, 'afresh')]), ['afresh'])
    assert.deepEqual(textsOf(await mine.items(id)), ['afresh'])
  })

  it('are refused after what is not there', async () => {
    const { id } = await mine.create('', 'a')
    const other = await mine.create('', 'elsewhere')
    const [elsewhere] = await mine.items(other.id)
    for (const previous_item_id of ['msg_none', elsewhere?.id]) {
      const body = { items: [{ role: 'user', content: 'x' }], previous_item_id }
      const refused = await mine.refusal(`${ROOT}/${id}/items`, { body })
      assert.deepEqual(refused, [400, 'invalid_value', 'previous_item_id'])
    }
    assert.deepEqual(textsOf(await mine.items(id)), ['a'])
  })

  it('branch off into a conversation that says where it is from', async () => {
    const origin = await mine.create('Tides', 'a', 'b', 'c', 'd')
    const items = await mine.items(origin.id)
    const [, b] = items
    const ask = { body: { item_id: b?.id }, headers: { 'idempotency-key': 'branch' } }
    const branch = await mine.read(conversationSchema, `${ROOT}/${origin.id}/branch`, ask)
    assert.deepEqual(await mine.read(conversationSchema, `${ROOT}/${origin.id}/branch`, ask), branch)
    assert.deepEqual(branch.metadata, origin.metadata)
    assert.deepEqual(branch.branched_from, { conversation_id: origin.id, item_id: b?.id })
    const copies = await mine.items(branch.id)
    assert.deepEqual(textsOf(copies), ['a', 'b'])
    assert.ok(copies.every(({ id }) => /^msg_[0-9a-f]{32}$/.test(id) && items.every((item) => item.id !== id)))
    await mine.add(branch.id, 'C')
    assert.deepEqual(textsOf(await mine.items(branch.id)), ['a', 'b', 'C'])
    assert.deepEqual(textsOf(await mine.items(origin.id)), ['a', 'b', 'c', 'd'])
    await edge.ask(`${ROOT}/${origin.id}`, { method: 'DELETE' })
    const left = await mine.read(conversationSchema, `${ROOT}/${branch.id}`)
    assert.equal(left.branched_from, undefined)
    assert.deepEqual(textsOf(await mine.items(branch.id)), ['a', 'b', 'C'])
  })

  it('branch off from a version that is not shown', async () => {
    const { id } = await mine.create('', 'a', 'b')
    const [a, b] = await mine.items(id)
    await mine.add(id, 'B', a?.id)
    const branch = await mine.read(conversationSchema, `${ROOT}/${id}/branch`, { body: { item_id: b?.id } })
    assert.deepEqual(textsOf(await mine.items(branch.id)), ['a', 'b'])
  })

  it('are as many as a long conversation has', async () => {
    const { id } = await mine.create('')
    const body = { items: Array.from({ length: 20 }, (_, i) => ({ role: 'user', content: String(i) })) }
    for (let i = 0; i < 15; i++) await edge.ask(`${ROOT}/${id}/items`, { body })
    const { data } = await mine.read(conversationItemListSchema, `${ROOT}/${id}/items?limit=1`)
    const path = `${ROOT}/${id}/branch`
    const branch = await mine.read(conversationSchema, path, { body: { item_id: data[0]?.id } })
    const seen: string[] = []
    for (let after = ''; ; ) {
      const page = await mine.read(conversationItemListSchema, `${ROOT}/${branch.id}/items?order=asc&limit=100${after}`)
      seen.push(...textsOf(page.data).map((text) => text ?? ''))
      if (!page.has_more) break
      after = `&after=${page.last_id}`
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 300 }, (_, i) => String(i % 20)),
    )
  })

  it('are nobody else’s', async () => {
    const { id } = await mine.create('', 'a', 'b')
    const [a] = await mine.items(id)
    const own = await theirs.create('', 'theirs')
    for (const [path, body] of [
      [`${ROOT}/${id}/head`, { item_id: a?.id }],
      [`${ROOT}/${id}/branch`, { item_id: a?.id }],
      [`${ROOT}/${own.id}/head`, { item_id: a?.id }],
      [`${ROOT}/${own.id}/branch`, { item_id: a?.id }],
    ] as const) {
      assert.deepEqual(await theirs.refusal(path, { body }), [404, 'not_found', null])
    }
    const body = { items: [{ role: 'user', content: 'x' }], previous_item_id: a?.id }
    assert.deepEqual(await theirs.refusal(`${ROOT}/${own.id}/items`, { body }), [
      400,
      'invalid_value',
      'previous_item_id',
    ])
    assert.deepEqual(textsOf(await mine.items(id)), ['a', 'b'])
  })

  describe('exported', () => {
    const file = async (id: string, format: string) => {
      const response = await edge.ask(`${ROOT}/${id}/export?format=${format}`)
      assert.equal(response.status, 200)
      return { text: await response.text(), name: response.headers.get('content-disposition') }
    }

    it('as Markdown have what is shown', async () => {
      const { id } = await mine.create('Two tides: “why”?', 'Why two?', 'The *Moon*.')
      const { text, name } = await file(id, 'markdown')
      assert.equal(text, '# Two tides: “why”?\n\n## User\n\nWhy two?\n\n## Assistant\n\nThe *Moon*.\n')
      assert.equal(
        name,
        `attachment; filename="conversation.md"; filename*=UTF-8''Two%20tides%20%E2%80%9Cwhy%E2%80%9D.md`,
      )
    })

    it('as JSON are whole, over several pages', async () => {
      const made = await mine.create('Long', ...Array.from({ length: 20 }, (_, i) => `first ${i}`))
      const body = { items: Array.from({ length: 20 }, (_, i) => ({ role: 'user', content: `"${i}"\n` })) }
      for (let i = 0; i < 4; i++) await edge.ask(`${ROOT}/${made.id}/items`, { body })
      const { items, ...conversation } = JSON.parse((await file(made.id, 'json')).text)
      assert.deepEqual(conversation, await mine.read(conversationSchema, `${ROOT}/${made.id}`))
      assert.deepEqual(items, await mine.items(made.id))
      assert.equal(items.length, 100)
    })

    it('are nothing where there is nothing, and nobody else’s', async () => {
      const { id } = await mine.create('')
      assert.equal((await file(id, 'markdown')).text, '')
      assert.deepEqual(JSON.parse((await file(id, 'json')).text).items, [])
      assert.deepEqual(await theirs.refusal(`${ROOT}/${id}/export?format=json`), [404, 'not_found', null])
      assert.deepEqual(await mine.refusal(`${ROOT}/${id}/export?format=pdf`), [400, 'invalid_value', 'format'])
      assert.deepEqual(await mine.refusal(`${ROOT}/${id}/export`), [400, 'missing_required_parameter', 'format'])
    })
  })
})

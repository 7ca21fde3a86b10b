import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { conversationListSchema, conversationSchema } from '#protocol/conversations.ts'
import { type Conversations, conversationsOf, ROOT } from '../testing/conversations.ts'
import { type Edge, startEdge } from '../testing/edge.ts'

describe('search', () => {
  let edge: Edge
  let mine: Conversations
  const ids = new Map<string, string>()
  before(async () => {
    edge = await startEdge()
    mine = conversationsOf(edge, (await edge.newKey({ owner: 'reader' })).key)
    for (const [title, ...texts] of [
      ['Tides', 'Why are there two tides a day?', 'The Moon pulls; the Sun helps a little.'],
      ['Über Äpfel', 'Welche Sorte?', 'Boskoop, sagt die Großmutter.'],
      ['Москва', 'Сколько жителей?', 'Около тринадцати миллионов.'],
      ['北京', '北京大学在哪里？', '在海淀区。'],
      ['Quotes', 'say "hi" OR 100% of_it', 'C:\\path AND (more)*'],
    ] as const) {
      ids.set(title, (await mine.create(title, ...texts)).id)
    }
  })
  after(() => edge.stop())

  for (const [search, titles] of [
    ['moon', ['Tides']],
    ['MOON pull', ['Tides']],
    ['tides moon', ['Tides']],
    ['moon apple', []],
    ['nothing like it', []],
    ['über', ['Über Äpfel']],
    ['uber apfel', ['Über Äpfel']],
    ['mutter', ['Über Äpfel']],
    ['МОСКВА', ['Москва']],
    ['тринадцат', ['Москва']],
    ['北京', ['北京']],
    ['京大学', ['北京']],
    ['海淀', ['北京']],
    ['a', ['Quotes', 'Über Äpfel', 'Tides']],
    ['su', ['Tides']],
    ['"hi"', ['Quotes']],
    ['100%', ['Quotes']],
    ['%', ['Quotes']],
    ['of_', ['Quotes']],
    ['_', ['Quotes']],
    ['OR', ['Quotes', 'Über Äpfel']],
    ['AND', ['Quotes']],
    ['c:\\path', ['Quotes']],
    ['more)*', ['Quotes']],
    ["'; DROP TABLE conversations; --", []],
    ['moon\u0000', ['Tides']],
    ['input_text', []],
    ['annotations', []],
    ['ty', []],
  ] as const) {
    it(`for ${JSON.stringify(search)} finds ${titles.join(', ') || 'nothing'}`, async () => {
      assert.deepEqual(await mine.find(search), titles)
    })
  }

  it('for nothing lists all', async () => {
    for (const search of ['', '  ']) assert.equal((await mine.find(search)).length, 5)
  })

  it('shows the message that was found, and the text around it', async () => {
    const long = `${'x '.repeat(100)}needle ${'y '.repeat(100)}`
    const { id } = await mine.create('Hay', 'first', long)
    const [, item] = await mine.items(id)
    const { data } = await mine.read(conversationListSchema, `${ROOT}?search=needle`)
    assert.equal(data.length, 1)
    assert.equal(data[0]?.match?.item_id, item?.id)
    assert.match(data[0]?.match?.text ?? '', /^…(?:x )+needle (?:y )+.?…$/)
    assert.ok((data[0]?.match?.text.length ?? 0) < 150)
    const byTitle = await mine.read(conversationListSchema, `${ROOT}?search=hay`)
    assert.deepEqual([byTitle.data[0]?.id, byTitle.data[0]?.match], [id, undefined])
    await mine.read(conversationSchema, `${ROOT}/${id}`, { body: { metadata: { title: 'Straw' } } })
    assert.deepEqual(await mine.find('hay'), [])
    assert.deepEqual(await mine.find('straw'), ['Straw'])
    await edge.database.prepare('DELETE FROM conversation_items WHERE id = ?').bind(item?.id).run()
    assert.deepEqual(await mine.find('needle'), [])
    assert.deepEqual(await mine.find('first'), ['Straw'])
    await edge.database.prepare('DELETE FROM conversations WHERE id = ?').bind(id).run()
    assert.deepEqual(await mine.find('first'), [])
    const { results } = await edge.database.prepare(`SELECT rowid FROM search_index('"straw" OR "first"')`).all()
    assert.deepEqual(results, [])
  })

  it('shows the message that has most of the words', async () => {
    const { id } = await mine.create('Ducks', 'quack and waddle', 'quack', 'pond')
    const [both] = await mine.items(id)
    const { data } = await mine.read(conversationListSchema, `${ROOT}?search=pond+quack+waddle`)
    assert.deepEqual(data[0]?.match, { item_id: both?.id, text: 'quack and waddle' })
  })

  it('comes in pages, newest activity first', async () => {
    const many = conversationsOf(edge, (await edge.newKey({ owner: 'of many' })).key)
    for (const title of ['one', 'two', 'three']) await many.create(title, 'common words')
    const first = await many.read(conversationListSchema, `${ROOT}?search=common&limit=2`)
    assert.deepEqual([first.data.map(({ metadata }) => metadata.title), first.has_more], [['three', 'two'], true])
    const rest = await many.read(conversationListSchema, `${ROOT}?search=common&limit=2&after=${first.last_id}`)
    assert.deepEqual([rest.data.map(({ metadata }) => metadata.title), rest.has_more], [['one'], false])
  })

  it('finds nothing of anybody else', async () => {
    const somebody = conversationsOf(edge, (await edge.newKey({ owner: 'a stranger' })).key)
    await somebody.create('Stranger', 'my own secret')
    assert.deepEqual(await mine.find('secret'), [])
    for (const search of ['moon', 'su', 'tides']) assert.deepEqual(await somebody.find(search), [])
    assert.deepEqual(await somebody.find('secret'), ['Stranger'])
  })

  it('has its limits', async () => {
    const words = Array.from({ length: 17 }, (_, i) => `w${i}`).join('+')
    assert.deepEqual(await mine.refusal(`${ROOT}?search=${words}`), [400, 'invalid_value', 'search'])
    assert.deepEqual(await mine.refusal(`${ROOT}?search=${'a'.repeat(201)}`), [400, 'invalid_value', 'search'])
    assert.deepEqual(await mine.find(Array.from({ length: 16 }, (_, i) => `word${i}`).join(' ')), [])
    assert.deepEqual(await mine.find('a'.repeat(200)), [])
  })
})

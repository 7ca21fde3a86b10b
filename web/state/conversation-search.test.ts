import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConversationPage } from '../transport/answers.ts'
import { ConversationsApi } from '../transport/conversations.ts'
import { Http } from '../transport/http.ts'
import { ConversationSearch } from './conversation-search.ts'

/** A search over requests that are answered when the test says so. */
function searching() {
  const asked: { query: URLSearchParams; answer: (ids: string[] | 'failure', hasMore?: boolean) => Promise<void> }[] =
    []
  const fetch = (path: string) =>
    new Promise<Response>((resolve) => {
      asked.push({
        query: new URL(path, 'http://localhost').searchParams,
        async answer(ids, has_more = false) {
          const data = ids === 'failure' ? [] : ids.map((id) => ({ id, created_at: 0, metadata: {} }))
          const page: ConversationPage = { data, last_id: null, has_more }
          resolve(ids === 'failure' ? new Response('', { status: 500 }) : Response.json(page))
          // The answer is read and parsed in a few turns of the event loop.
          for (let turn = 0; turn < 10; turn++) await new Promise((done) => setImmediate(done))
        },
      })
    })
  const failures: unknown[] = []
  const http = new Http({ fetch, renew: async () => false })
  const search = new ConversationSearch(new ConversationsApi(http), (error) => failures.push(error))
  return { search, asked, failures, found: () => search.found.value?.map(({ id }) => id) ?? null }
}

test('a search asks when the typing pauses, and only the newest answer counts', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { search, asked, found } = searching()
  for (const typed of ['a', 'ab', 'abc ']) search.query.value = typed
  t.mock.timers.tick(1000)
  search.query.value = 'abcd'
  t.mock.timers.tick(1000)
  assert.deepEqual(
    asked.map(({ query }) => query.get('search')),
    ['abc', 'abcd'],
  )
  await asked[1]?.answer(['new'])
  await asked[0]?.answer(['old'])
  assert.deepEqual([found(), search.state.value], [['new'], 'idle'])
  search.query.value = ' '
  assert.deepEqual([found(), search.state.value], [null, 'idle'])
  t.mock.timers.tick(1000)
  assert.equal(asked.length, 2)
})

test('a search that fails says so and can be asked again; more is appended', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { search, asked, failures, found } = searching()
  search.query.value = 'moon'
  t.mock.timers.tick(1000)
  await asked[0]?.answer('failure')
  assert.deepEqual([search.state.value, failures.length], ['failed', 1])
  void search.again()
  await asked[1]?.answer(['a', 'b'], true)
  assert.deepEqual([found(), search.hasMore.value, search.state.value], [['a', 'b'], true, 'idle'])
  void search.loadMore()
  assert.equal(asked[2]?.query.get('after'), 'b')
  await asked[2]?.answer(['c'])
  assert.deepEqual([found(), search.hasMore.value], [['a', 'b', 'c'], false])
  search.change('b', null)
  assert.deepEqual(found(), ['a', 'c'])
})

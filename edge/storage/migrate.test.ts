import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Edge, emptyDatabase, readMigrations, startEdge } from '../testing/edge.ts'
import { listConversations, listItems } from './conversations.ts'
import { applyMigrations } from './migrate.ts'

describe('migrations', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
  })
  after(() => edge.stop())
  const recorded = async () => {
    const { results } = await edge.database
      .prepare('SELECT name FROM d1_migrations ORDER BY id')
      .all<{ name: string }>()
    return results.map(({ name }) => name)
  }

  it('run once, in the order of their names', async () => {
    const migrations = [
      { name: '9002_second.sql', sql: "INSERT INTO probe VALUES ('b');" },
      {
        name: '9001_first.sql',
        sql: "-- A comment; with a semicolon\nCREATE TABLE probe (\n  a TEXT\n);\n\nINSERT INTO probe VALUES ('a');\n",
      },
    ]
    assert.deepEqual(await applyMigrations(edge.database, migrations), ['9001_first.sql', '9002_second.sql'])
    assert.deepEqual(await applyMigrations(edge.database, migrations), [])
    assert.deepEqual((await edge.database.prepare('SELECT a FROM probe').all()).results, [{ a: 'a' }, { a: 'b' }])
    assert.deepEqual((await recorded()).slice(-2), ['9001_first.sql', '9002_second.sql'])
  })

  it('leave nothing behind when they fail', async () => {
    const broken = { name: '9003_broken.sql', sql: 'CREATE TABLE half (a TEXT);\nINSERT INTO nowhere VALUES (1);\n' }
    await assert.rejects(applyMigrations(edge.database, [broken]), /nowhere/)
    assert.ok(!(await recorded()).includes(broken.name))
    await assert.rejects(edge.database.prepare('SELECT * FROM half').all(), /no such table/)
  })

  it('keep what was there: the conversations of 0002 have their path, their titles and texts are found', async () => {
    await using old = await emptyDatabase()
    const all = await readMigrations()
    await applyMigrations(
      old.database,
      all.filter(({ name }) => name < '0003'),
    )
    const rows = (...statements: string[]) => old.database.batch(statements.map((sql) => old.database.prepare(sql)))
    const item = (id: string, conversation: string, text: string) =>
      `INSERT INTO conversation_items (id, conversation_id, role, status, content, created_at)
       VALUES ('${id}', '${conversation}', 'user', 'completed', '[{"type":"input_text","text":"${text}"}]', 1)`
    await rows(
      `INSERT INTO conversations VALUES ('a', 'local', '{"title":"Tides"}', 1, 1), ('b', 'local', '{}', 2, 2)`,
      item('a1', 'a', 'first'),
      item('b1', 'b', 'other'),
      item('a2', 'a', 'second'),
    )
    await applyMigrations(old.database, all)
    const page = { limit: 10, order: 'asc' as const }
    const { data } = await listItems(old.database, 'local', 'a', page)
    assert.deepEqual(
      data.map(({ id, versions }) => [id, versions]),
      [
        ['a1', undefined],
        ['a2', undefined],
      ],
    )
    for (const [search, ids] of [
      ['tides', ['a']],
      ['second', ['a']],
      ['other', ['b']],
    ] as const) {
      const found = await listConversations(old.database, 'local', { ...page, search })
      assert.deepEqual(
        found.data.map(({ id }) => id),
        ids,
      )
    }
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Edge, startEdge } from '../testing/edge.ts'
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
})

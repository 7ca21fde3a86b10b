/** SQLite in this process behind D1's methods: for simulations, which a database in workerd would take minutes for. */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { Database, Statement } from '../storage/database.ts'
import { applyMigrations } from '../storage/migrate.ts'
import { readMigrations } from './edge.ts'

/** One with all tables. */
export async function memoryDatabase(): Promise<Database> {
  const sqlite = new DatabaseSync(':memory:')
  const statement = (sql: string, values: SQLInputValue[] = []): Statement => ({
    bind: (...given) => statement(sql, given as SQLInputValue[]),
    first: async <Row>() => (sqlite.prepare(sql).get(...values) as Row | undefined) ?? null,
    all: async <Row>() => ({ results: sqlite.prepare(sql).all(...values) as Row[] }),
    run: async () => ({ meta: { changes: Number(sqlite.prepare(sql).run(...values).changes) } }),
  })
  const database: Database = {
    prepare: (sql) => statement(sql),
    async batch(statements) {
      sqlite.exec('BEGIN')
      try {
        for (const one of statements) await one.run()
        sqlite.exec('COMMIT')
      } catch (error) {
        sqlite.exec('ROLLBACK')
        throw error
      }
    },
  }
  await applyMigrations(database, await readMigrations())
  return database
}

/** SQLite in this process behind D1's methods: for simulations, which a database in workerd would take minutes for. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { Database, Statement } from '../storage/database.ts'
import { applyMigrations } from '../storage/migrate.ts'
import { readMigrations } from './edge.ts'

/** One with all tables. */
export async function memoryDatabase(): Promise<Database> {
  const sqlite = new DatabaseSync(':memory:')
  const prepared = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql) ?? sqlite.prepare(sql)
    prepared.set(sql, known)
    return known
  }
  const statement = (sql: string, values: SQLInputValue[] = []): Statement => ({
    bind: (...given) => statement(sql, given as SQLInputValue[]),
    first: async <Row>() => (prepare(sql).get(...values) as Row | undefined) ?? null,
    all: async <Row>() => ({ results: prepare(sql).all(...values) as Row[] }),
    run: async () => ({ meta: { changes: Number(prepare(sql).run(...values).changes) } }),
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

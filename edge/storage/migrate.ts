/**
 * Brings a database up to date, with the bookkeeping of `wrangler d1 migrations apply`, so that either can follow the
 * other. Runs in Node too.
 */
import type { Database } from './database.ts'

export interface Migration {
  /** The file's name, `0001_keys.sql`; migrations run in its order. */
  name: string
  sql: string
}

const BOOKKEEPING = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`

/** Applies what has not been applied, each file as one transaction. Returns the names of those applied. */
export async function applyMigrations(database: Database, migrations: readonly Migration[]): Promise<string[]> {
  await database.prepare(BOOKKEEPING).run()
  const { results } = await database.prepare('SELECT name FROM d1_migrations').all<{ name: string }>()
  const applied = new Set(results.map((row) => row.name))
  const pending = migrations
    .filter((migration) => !applied.has(migration.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const migration of pending) {
    const statements = splitStatements(migration.sql).map((sql) => database.prepare(sql))
    const record = database.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(migration.name)
    await database.batch([...statements, record])
  }
  return pending.map((migration) => migration.name)
}

/** Our migrations end each statement, and each one within a trigger, with a semicolon at the end of a line. */
function splitStatements(sql: string): string[] {
  const withoutComments = sql.replaceAll(/^\s*--.*$/gm, '')
  const statements: string[] = []
  let trigger = ''
  for (const piece of withoutComments.split(/;\s*$/m)) {
    const statement = (trigger + piece).trim()
    trigger = /^CREATE TRIGGER\b/.test(statement) && !/\bEND$/.test(statement) ? `${statement};\n` : ''
    if (trigger === '' && statement !== '') statements.push(statement)
  }
  return statements
}

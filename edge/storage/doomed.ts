/** Objects that nothing needs any more: written down in the transaction that made them so, taken away after it. */
import type { Database, Statement } from './database.ts'

/** Some of them. */
export async function doomed(database: Database, most: number): Promise<string[]> {
  const { results } = await database.prepare('SELECT key FROM doomed_objects LIMIT ?').bind(most).all<{ key: string }>()
  return results.map(({ key }) => key)
}

export async function forgetDoomed(database: Database, keys: readonly string[]): Promise<void> {
  await database
    .prepare('DELETE FROM doomed_objects WHERE key IN (SELECT value FROM json_each(?))')
    .bind(JSON.stringify(keys))
    .run()
}

/** Dooms what `select` gives: keys. */
export function doom(database: Database, select: string, ...values: unknown[]): Statement {
  return database.prepare(`INSERT OR IGNORE INTO doomed_objects (key) ${select}`).bind(...values)
}

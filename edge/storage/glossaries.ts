/** Glossaries in D1: each is its owner's. */
import { uuidv7 } from 'uuidv7'
import { ApiError } from '#protocol/error.ts'
import type { Multilingual } from '#protocol/glossaries.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { Database, Statement } from './database.ts'

type Entries = readonly (readonly [source: string, target: string])[]

export interface Dictionary {
  readonly source: string
  readonly target: string
  readonly entries: Entries
}

interface Row {
  id: string
  name: string
  created_at: number
  /** JSON, as the API shows them. */
  dictionaries: string
}

const SELECT = `SELECT id, name, created_at, (
    SELECT json_group_array(json_object(
      'source_lang', source_language, 'target_lang', target_language, 'entry_count', entry_count))
    FROM (SELECT * FROM glossary_dictionaries WHERE glossary_id = glossaries.id ORDER BY source_language, target_language)
  ) AS dictionaries FROM glossaries`

/** @returns what makes it, and how it is shown */
export function newGlossary(
  database: Database,
  { owner, name, dictionaries, now }: { owner: string; name: string; dictionaries: readonly Dictionary[]; now: number },
): { statements: Statement[]; glossary: Multilingual } {
  const row = { id: uuidv7(), name, created_at: now }
  const insert = database
    .prepare('INSERT INTO glossaries (id, owner, name, created_at) VALUES (?, ?, ?, ?)')
    .bind(row.id, owner, name, now)
  const shown = dictionaries.map(({ source, target, entries }) => ({
    source_lang: source,
    target_lang: target,
    entry_count: entries.length,
  }))
  return {
    statements: [insert, ...dictionaries.map((one) => putDictionary(database, row.id, one))],
    glossary: toGlossary({ ...row, dictionaries: JSON.stringify(shown) }),
  }
}

/** Puts a dictionary in the place of the one for its pair, if there is one. */
export function putDictionary(
  database: Database,
  glossary: string,
  { source, target, entries }: Dictionary,
): Statement {
  return database
    .prepare(
      `INSERT OR REPLACE INTO glossary_dictionaries (glossary_id, source_language, target_language, entries, entry_count)
       VALUES (?, ?, ?, ?, ?)`,
    )
    .bind(glossary, source, target, JSON.stringify(entries), entries.length)
}

export const renameGlossary = (database: Database, id: string, name: string): Statement =>
  database.prepare('UPDATE glossaries SET name = ? WHERE id = ?').bind(name, id)

/** All of it, or nothing. */
export async function changeGlossary(database: Database, statements: Statement[]): Promise<void> {
  if (statements.length > 0) await database.batch(statements)
}

/** @throws ApiError 429 if the owner has as many as may be */
export async function requireRoomForGlossary(database: Database, owner: string): Promise<void> {
  const row = await database
    .prepare('SELECT COUNT(*) AS count FROM glossaries WHERE owner = ?')
    .bind(owner)
    .first<{ count: number }>()
  if ((row?.count ?? 0) < LIMITS.ownerGlossaries) return
  throw new ApiError('insufficient_quota', `You may keep ${LIMITS.ownerGlossaries} glossaries.`)
}

export async function listGlossaries(database: Database, owner: string): Promise<Multilingual[]> {
  const { results } = await database.prepare(`${SELECT} WHERE owner = ? ORDER BY position`).bind(owner).all<Row>()
  return results.map(toGlossary)
}

export async function findGlossary(database: Database, owner: string, id: string): Promise<Multilingual | null> {
  const row = await database.prepare(`${SELECT} WHERE id = ? AND owner = ?`).bind(id, owner).first<Row>()
  return row && toGlossary(row)
}

/** Null if the glossary, which has to be the caller's, has none for the pair. */
export async function readDictionary(
  database: Database,
  id: string,
  source: string,
  target: string,
): Promise<Dictionary | null> {
  const row = await database
    .prepare(
      'SELECT entries FROM glossary_dictionaries WHERE glossary_id = ? AND source_language = ? AND target_language = ?',
    )
    .bind(id, source, target)
    .first<{ entries: string }>()
  return row && { source, target, entries: JSON.parse(row.entries) as Entries }
}

export function removeDictionary(database: Database, id: string, source: string, target: string): Statement {
  return database
    .prepare('DELETE FROM glossary_dictionaries WHERE glossary_id = ? AND source_language = ? AND target_language = ?')
    .bind(id, source, target)
}

export async function removeGlossary(database: Database, id: string): Promise<void> {
  await database.batch([
    database.prepare('DELETE FROM glossary_dictionaries WHERE glossary_id = ?').bind(id),
    database.prepare('DELETE FROM glossaries WHERE id = ?').bind(id),
  ])
}

const toGlossary = ({ id, name, created_at, dictionaries }: Row): Multilingual => ({
  glossary_id: id,
  name,
  dictionaries: JSON.parse(dictionaries) as Multilingual['dictionaries'],
  creation_time: new Date(created_at).toISOString(),
})

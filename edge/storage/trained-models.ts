/**
 * Models that were trained here, and which files in the object store each needs. A file is named here before it is written,
 * and one that nobody needs any more is doomed in the transaction that finds that out: so whoever writes one that is
 * doomed knows, and waits.
 */
import type { AnyPublished, PublishedTranslation } from '#protocol/published-model.ts'
import type { Database, Statement } from './database.ts'
import { doom } from './doomed.ts'

const MOST_LISTED = 1_000
const UNNEEDED = `SELECT 'models/' || value FROM json_each(?)
  WHERE NOT EXISTS (SELECT 1 FROM model_files WHERE sha256 = value)`

export const manifestKey = (id: string): string => `manifests/${id}.json`

export async function listModels(database: Database, owner: string): Promise<AnyPublished[]> {
  const { results } = await database
    .prepare('SELECT manifest FROM trained_models WHERE owner = ? ORDER BY position LIMIT ?')
    .bind(owner, MOST_LISTED)
    .all<{ manifest: string }>()
  return results.map(({ manifest }) => JSON.parse(manifest) as AnyPublished)
}

/** Those that translate, the newest first. */
export async function listTranslations(database: Database, owner: string): Promise<PublishedTranslation[]> {
  const { results } = await database
    .prepare(
      `SELECT manifest FROM trained_models WHERE owner = ? AND manifest ->> '$.parts.family' = 'translation'
       ORDER BY position DESC LIMIT ?`,
    )
    .bind(owner, MOST_LISTED)
    .all<{ manifest: string }>()
  return results.map(({ manifest }) => JSON.parse(manifest) as PublishedTranslation)
}

/** Null if there is no such model of this owner's. */
export async function readModel(database: Database, owner: string, id: string): Promise<AnyPublished | null> {
  const row = await database
    .prepare('SELECT manifest FROM trained_models WHERE id = ? AND owner = ?')
    .bind(id, owner)
    .first<{ manifest: string }>()
  return row && (JSON.parse(row.manifest) as AnyPublished)
}

export async function findModel(database: Database, owner: string, id: string): Promise<boolean> {
  const found = database.prepare('SELECT 1 AS found FROM trained_models WHERE id = ? AND owner = ?').bind(id, owner)
  return (await found.first<{ found: number }>()) !== null
}

/** The same again changes nothing. */
export function newModel(database: Database, owner: string, model: AnyPublished): Statement {
  return database
    .prepare('INSERT INTO trained_models (id, owner, manifest) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING')
    .bind(model.id, owner, JSON.stringify(model))
}

/** The model will need this file. @returns whether it may be written now: not while the one before it is taken away */
export async function needFile(database: Database, model: string, sha256: string): Promise<boolean> {
  await database
    .prepare('INSERT INTO model_files (model_id, sha256) VALUES (?, ?) ON CONFLICT DO NOTHING')
    .bind(model, sha256)
    .run()
  const doomed = database.prepare('SELECT 1 AS found FROM doomed_objects WHERE key = ?').bind(`models/${sha256}`)
  return (await doomed.first<{ found: number }>()) === null
}

/** Whether it is one of the model's files. */
export async function needsFile(database: Database, model: string, sha256: string): Promise<boolean> {
  const needed = database.prepare('SELECT 1 AS found FROM model_files WHERE model_id = ? AND sha256 = ?')
  return (await needed.bind(model, sha256).first<{ found: number }>()) !== null
}

/** The model needs these files alone, from now on: none, if it is no more. */
export async function needOnly(
  database: Database,
  model: string,
  files: readonly string[],
  besides: readonly Statement[] = [],
): Promise<void> {
  const { results } = await database
    .prepare('SELECT sha256 FROM model_files WHERE model_id = ?')
    .bind(model)
    .all<{ sha256: string }>()
  const left = JSON.stringify(results.map(({ sha256 }) => sha256).filter((sha256) => !files.includes(sha256)))
  await database.batch([
    ...besides,
    database
      .prepare('DELETE FROM model_files WHERE model_id = ? AND sha256 IN (SELECT value FROM json_each(?))')
      .bind(model, left),
    doom(database, UNNEEDED, left),
  ])
}

/** Takes a model from the list, and dooms its files. */
export function removeModel(database: Database, id: string): Promise<void> {
  return needOnly(database, id, [], [database.prepare('DELETE FROM trained_models WHERE id = ?').bind(id)])
}

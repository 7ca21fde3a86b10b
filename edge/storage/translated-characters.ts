/** Characters that an owner has had translated in a calendar month (UTC): what DeepL's usage tells. */
import type { Database } from './database.ts'

export async function addCharacters(database: Database, owner: string, characters: number, now: number): Promise<void> {
  if (characters === 0) return
  await database
    .prepare(
      `INSERT INTO translated_characters (owner, month, characters) VALUES (?, ?, ?)
       ON CONFLICT (owner, month) DO UPDATE SET characters = characters + excluded.characters`,
    )
    .bind(owner, monthOf(now), characters)
    .run()
}

export async function readCharacters(database: Database, owner: string, now: number): Promise<number> {
  const row = await database
    .prepare('SELECT characters FROM translated_characters WHERE owner = ? AND month = ?')
    .bind(owner, monthOf(now))
    .first<{ characters: number }>()
  return row?.characters ?? 0
}

const monthOf = (now: number): string => new Date(now).toISOString().slice(0, 7)

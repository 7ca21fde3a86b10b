/**
 * Finding conversations by words of their titles and messages. Words of three characters and more are found by an index
 * of trigrams (any script, any part of a word, without regard to case and accents); shorter ones, which it has not, by
 * reading the owner's own texts.
 */
import type { FoundConversation, MessageItem } from '#protocol/conversations.ts'
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { Database } from './database.ts'

interface Condition {
  sql: string
  bound: string
}

const FOUND = 'SELECT id FROM search_index JOIN search_documents ON id = search_index.rowid WHERE search_index MATCH ?'
const SHORT_IN_ITEM = `EXISTS (SELECT 1 FROM json_each(item.content) AS part
  WHERE instr(lower(json_extract(part.value, '$.text')), ?) > 0)`

const EXCERPT = 140
const BEFORE_MATCH = 40

/** @throws ApiError 400 for more words than are looked for */
export function wordsOf(search: string): string[] {
  const words = [
    ...new Set(
      search
        .normalize('NFC')
        .toLowerCase()
        .split(/[\s\p{Cc}]+/u),
    ),
  ].filter((word) => word !== '')
  if (words.length <= LIMITS.searchWords) return words
  throw new ApiError(
    'invalid_value',
    `Invalid 'search': expected at most ${LIMITS.searchWords} words, got ${words.length}.`,
    { param: 'search' },
  )
}

/** Conditions on a row of `conversations`, all of which have to hold. */
export function conditionsOf(words: readonly string[]): Condition[] {
  return words.map((word) =>
    isIndexed(word)
      ? { sql: `id IN (${FOUND.replace('SELECT id', 'SELECT conversation_id')})`, bound: quote(word) }
      : {
          sql: `EXISTS (SELECT 1 FROM (SELECT ? AS word) WHERE
            instr(lower(COALESCE(json_extract(metadata, '$.title'), '')), word) > 0
            OR EXISTS (SELECT 1 FROM conversation_items AS item, json_each(item.content) AS part
              WHERE item.conversation_id = conversations.id
                AND instr(lower(json_extract(part.value, '$.text')), word) > 0))`,
          bound: word,
        },
  )
}

/** Adds to each conversation the message that has most of the words, of several the newest; none if only its title has. */
export async function withMatches<T extends { id: string }>(
  database: Database,
  conversations: readonly T[],
  words: readonly string[],
): Promise<(T & Pick<FoundConversation, 'match'>)[]> {
  const conditions = words.map((word) =>
    isIndexed(word)
      ? { sql: `item.id IN (${FOUND.replace('SELECT id', 'SELECT item_id')})`, bound: quote(word) }
      : { sql: SHORT_IN_ITEM, bound: word },
  )
  const { results } = await database
    .prepare(
      `SELECT conversation_id, id, content, MAX(words * (1 << 40) + position) FROM (
         SELECT item.conversation_id, item.id, item.content, item.position,
           ${conditions.map(({ sql }) => `(${sql})`).join(' + ')} AS words
         FROM conversation_items AS item WHERE item.conversation_id IN (SELECT value FROM json_each(?))
       ) WHERE words > 0 GROUP BY conversation_id`,
    )
    .bind(...conditions.map(({ bound }) => bound), JSON.stringify(conversations.map(({ id }) => id)))
    .all<{ conversation_id: string; id: string; content: string }>()
  const found = new Map(results.map((row) => [row.conversation_id, row]))
  return conversations.map((conversation) => {
    const item = found.get(conversation.id)
    if (!item) return conversation
    const content: MessageItem['content'] = JSON.parse(item.content)
    const text = content.map((part) => part.text).join(' ')
    return { ...conversation, match: { item_id: item.id, text: excerpt(text, words) } }
  })
}

/** What the index makes of a word: it drops accents, and has nothing shorter than three characters. */
function isIndexed(word: string): boolean {
  return [...word.replaceAll(/\p{M}/gu, '')].length >= 3
}

function quote(word: string): string {
  return `"${word.replaceAll('"', '""')}"`
}

/** The text around the first word that is in it as it was typed, on one line. */
function excerpt(text: string, words: readonly string[]): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  const folded = line.toLowerCase()
  const at = Math.max(0, Math.min(...words.map((word) => folded.indexOf(word)).filter((index) => index >= 0), Infinity))
  const start = Number.isFinite(at) && at > BEFORE_MATCH ? at - BEFORE_MATCH : 0
  const cut = line.slice(start, start + EXCERPT).toWellFormed()
  return `${start > 0 ? '…' : ''}${cut}${start + EXCERPT < line.length ? '…' : ''}`
}

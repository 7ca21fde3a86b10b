/** Turns of conversations: what a response was asked and answers, in the conversation that it belongs to. */
import type { IncompleteReason } from '#protocol/conversations.ts'
import type { Item, Response } from '#protocol/responses.ts'
import { continueFrom } from './conversation-path.ts'
import type { Database, Statement } from './database.ts'

export interface Turn {
  readonly owner: string
  readonly conversation: string
  /** The response's id. */
  readonly response: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

export interface NewTurn extends Turn {
  /** What the first of the items asked comes after; null: nothing; undefined: the conversation's last. */
  readonly previous: string | null | undefined
  readonly items: readonly Item[]
}

/** Whether the turn is this response's, and not over: what its answer may be written under. */
const OPEN = 'EXISTS (SELECT 1 FROM turns WHERE response_id = ? AND ended_at IS NULL)'

/**
 * Adds the items asked to a conversation of this owner and takes it for a response.
 * @returns undefined if done, else the response that has the conversation
 */
export async function beginTurn(database: Database, turn: NewTurn): Promise<string | undefined> {
  const { owner, conversation, response, now, previous, items } = turn
  const take = database
    .prepare(
      `INSERT INTO turns (response_id, conversation_id, created_at)
       SELECT ?, id, ? FROM conversations WHERE id = ? AND owner = ?`,
    )
    .bind(response, now, conversation, owner)
  const lead = previous === undefined ? [] : [continueFrom(database, owner, conversation, previous)]
  const note = database
    .prepare(
      'UPDATE turns SET asked_at = (SELECT head FROM conversations WHERE id = turns.conversation_id) WHERE response_id = ?',
    )
    .bind(response)
  try {
    await database.batch([
      take,
      ...lead,
      ...items.map((item) => insert(database, turn, item, null)),
      note,
      touch(database, turn),
    ])
    return undefined
  } catch (error) {
    const holder = await activeResponse(database, owner, conversation)
    if (holder === null) throw error
    return holder
  }
}

/** Gives the conversation back, with the items answered after those asked; may be called again. */
export async function endTurn(
  database: Database,
  { ended, ...turn }: Turn & { ended: Pick<Response, 'output' | 'incomplete_details'> },
): Promise<void> {
  const { output, incomplete_details: details } = ended
  const { owner, conversation, response, now } = turn
  const lead = database
    .prepare(
      `UPDATE conversations SET head = (SELECT asked_at FROM turns WHERE response_id = ?)
       WHERE id = ? AND owner = ? AND ${OPEN}`,
    )
    .bind(response, conversation, owner, response)
  const end = database
    .prepare('UPDATE turns SET ended_at = ? WHERE response_id = ? AND ended_at IS NULL')
    .bind(now, response)
  const inserts = output.map((item) =>
    insert(database, turn, item, item.status === 'incomplete' ? (details?.reason ?? null) : null),
  )
  await database.batch([...(output.length > 0 ? [lead] : []), ...inserts, end, touch(database, turn)])
}

/** Undoes what `beginTurn` did, for a response that was refused. */
export async function undoTurn(database: Database, turn: NewTurn): Promise<void> {
  const forget = turn.items
    .toReversed()
    .map(({ id }) => database.prepare('DELETE FROM conversation_items WHERE id = ?').bind(id))
  const leave = database.prepare('DELETE FROM turns WHERE response_id = ?').bind(turn.response)
  await database.batch([...forget, leave, touch(database, turn)])
}

/** The response that is answering in a conversation of this owner. */
export async function activeResponse(database: Database, owner: string, conversation: string): Promise<string | null> {
  return (await activeTurn(database, owner, conversation))?.response ?? null
}

/** Its turn; `createdAt` in milliseconds since the epoch. */
export async function activeTurn(
  database: Database,
  owner: string,
  conversation: string,
): Promise<{ response: string; createdAt: number } | null> {
  return database
    .prepare(
      `SELECT turn.response_id AS response, turn.created_at AS createdAt
       FROM turns AS turn JOIN conversations AS conversation ON conversation.id = turn.conversation_id
       WHERE conversation.id = ? AND conversation.owner = ? AND turn.ended_at IS NULL`,
    )
    .bind(conversation, owner)
    .first<{ response: string; createdAt: number }>()
}

/** A call or what it gave stands in a list, as the parts of a message do. */
function insert(
  database: Database,
  { owner, conversation, response, now }: Turn,
  item: Item,
  incompleteReason: IncompleteReason | null,
): Statement {
  const [role, content] =
    item.type === 'message'
      ? [item.role, item.content.map((part) => (part.type === 'output_text' ? { ...part, logprobs: [] } : part))]
      : [item.type, [item]]
  return database
    .prepare(
      `INSERT INTO conversation_items (id, conversation_id, role, status, incomplete_reason, content, created_at)
       SELECT ?, id, ?, ?, ?, ?, ? FROM conversations WHERE id = ? AND owner = ? AND ${OPEN}
       ON CONFLICT (id) DO NOTHING`,
    )
    .bind(item.id, role, item.status, incompleteReason, JSON.stringify(content), now, conversation, owner, response)
}

function touch(database: Database, { owner, conversation, now }: Turn): Statement {
  return database
    .prepare('UPDATE conversations SET updated_at = MAX(?, updated_at + 1) WHERE id = ? AND owner = ?')
    .bind(now, conversation, owner)
}

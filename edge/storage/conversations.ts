/** Conversations and their items in D1. Whatever is asked for is asked for by its owner; another's is not there. */
import { uuidv7 } from 'uuidv7'
import type {
  Conversation,
  ConversationItem,
  ConversationQuery,
  FoundConversation,
  IncompleteReason,
  ItemInput,
  MessageItem,
  PageQuery,
} from '#protocol/conversations.ts'
import { ApiError } from '#protocol/error.ts'
import { copyPath, pathTo, TO_HEAD } from './conversation-path.ts'
import { conditionsOf, withMatches, wordsOf } from './conversation-search.ts'
import type { Database, Statement } from './database.ts'

interface ConversationRow {
  id: string
  metadata: string
  created_at: number
  updated_at: number
  branched_from: string | null
  branched_at: string | null
}
interface ItemRow {
  id: string
  /** A message's, else the item's type. */
  role: MessageItem['role'] | 'function_call' | 'function_call_output'
  status: MessageItem['status']
  incomplete_reason: IncompleteReason | null
  content: string
  /** A JSON array of ids; only in a list. */
  versions?: string
}
/** A page of what was asked for, and whether there is more after it. */
export interface Page<T> {
  data: T[]
  hasMore: boolean
}

/** Later than anything of this owner, so that the order of activity has no ties. Binds the time now and the owner. */
const NEXT_ACTIVITY = 'MAX(?, COALESCE((SELECT MAX(updated_at) FROM conversations WHERE owner = ?), 0) + 1)'

const COLUMNS = 'id, metadata, created_at, updated_at, branched_from, branched_at'

const newId = (prefix: string) => `${prefix}_${uuidv7().replaceAll('-', '')}`

/** What writes a new conversation; run with `database.batch`. */
export function newConversation(
  database: Database,
  owner: string,
  metadata: Readonly<Record<string, string>>,
  now: number,
  origin: { conversationId: string; itemId: string } | null = null,
): { conversation: Conversation; statement: Statement } {
  const row: ConversationRow = {
    id: newId('conv'),
    metadata: JSON.stringify(metadata),
    created_at: now,
    updated_at: now,
    branched_from: origin?.conversationId ?? null,
    branched_at: origin?.itemId ?? null,
  }
  const statement = database
    .prepare(
      `INSERT INTO conversations (id, owner, metadata, created_at, updated_at, branched_from, branched_at)
       VALUES (?, ?, ?, ?, ${NEXT_ACTIVITY}, ?, ?)`,
    )
    .bind(row.id, owner, row.metadata, now, now, owner, row.branched_from, row.branched_at)
  return { conversation: toConversation(row), statement }
}

/** What writes a new conversation with the items of another up to one of them; both have to be there, and the owner's. */
export function newBranch(
  database: Database,
  owner: string,
  origin: Conversation,
  itemId: string,
  now: number,
): { conversation: Conversation; statements: Statement[] } {
  const from = { conversationId: origin.id, itemId }
  const { conversation, statement } = newConversation(database, owner, origin.metadata, now, from)
  return { conversation, statements: [statement, copyPath(database, from, conversation.id)] }
}

/** What adds items to a conversation, if it is its owner's; the first statement says whether it was. */
export function newItems(
  database: Database,
  owner: string,
  conversationId: string,
  inputs: readonly ItemInput[],
  now: number,
): { items: MessageItem[]; statements: Statement[] } {
  const items = inputs.map(toItem)
  const inserts = items.map(({ id, role, status, incomplete_details, content }) =>
    database
      .prepare(
        `INSERT INTO conversation_items (id, conversation_id, role, status, incomplete_reason, content, created_at)
         SELECT ?, id, ?, ?, ?, ?, ? FROM conversations WHERE id = ? AND owner = ?`,
      )
      .bind(id, role, status, incomplete_details?.reason ?? null, JSON.stringify(content), now, conversationId, owner),
  )
  return { items, statements: [touch(database, owner, conversationId, now), ...inserts] }
}

export async function findConversation(database: Database, owner: string, id: string): Promise<Conversation | null> {
  const row = await database
    .prepare(`SELECT ${COLUMNS} FROM conversations WHERE id = ? AND owner = ?`)
    .bind(id, owner)
    .first<ConversationRow>()
  return row && toConversation(row)
}

/**
 * By newest activity, or by oldest; with a search, those in which all of its words occur.
 * @throws ApiError 400 if there is none to list `after`, or for a search of too many words
 */
export async function listConversations(
  database: Database,
  owner: string,
  { limit, after, order, search = '' }: ConversationQuery,
): Promise<Page<FoundConversation>> {
  const words = wordsOf(search)
  if (after !== undefined && !(await findConversation(database, owner, after))) throw unknownCursor(after)
  const beyond = order === 'desc' ? '<' : '>'
  const cursor = `AND updated_at ${beyond} (SELECT updated_at FROM conversations WHERE id = ? AND owner = ?)`
  const conditions = conditionsOf(words)
  const { results } = await database
    .prepare(
      `SELECT ${COLUMNS} FROM conversations
       WHERE owner = ? ${after === undefined ? '' : cursor} ${conditions.map(({ sql }) => `AND ${sql}`).join(' ')}
       ORDER BY updated_at ${order} LIMIT ?`,
    )
    .bind(owner, ...(after === undefined ? [] : [after, owner]), ...conditions.map(({ bound }) => bound), limit + 1)
    .all<ConversationRow>()
  const data = results.slice(0, limit).map(toConversation)
  const found = words.length === 0 ? data : await withMatches(database, data, words)
  return { data: found, hasMore: results.length > limit }
}

export async function updateConversation(
  database: Database,
  owner: string,
  id: string,
  metadata: Readonly<Record<string, string>>,
): Promise<Conversation | null> {
  const row = await database
    .prepare(
      `UPDATE conversations SET metadata = ? WHERE id = ? AND owner = ?
       RETURNING ${COLUMNS}`,
    )
    .bind(JSON.stringify(metadata), id, owner)
    .first<ConversationRow>()
  return row && toConversation(row)
}

export async function deleteConversation(database: Database, owner: string, id: string): Promise<boolean> {
  const { meta } = await database.prepare('DELETE FROM conversations WHERE id = ? AND owner = ?').bind(id, owner).run()
  return meta.changes > 0
}

const ITEM_COLUMNS = 'item.id, item.role, item.status, item.incomplete_reason, item.content'
const OF_CONVERSATION = `FROM conversation_items AS item JOIN conversations AS conversation
  ON conversation.id = item.conversation_id
  WHERE conversation.id = ? AND conversation.owner = ?`

/** Every version of an item, by age. */
const VERSIONS = `SELECT json_group_array(id) FROM (SELECT version.id FROM conversation_items AS version
  WHERE version.conversation_id = item.conversation_id AND version.parent IS item.parent ORDER BY version.position)`

/**
 * What the conversation shows, in the order of its adding, newest first or oldest.
 * @throws ApiError 400 if there is none to list `after`
 */
export async function listItems(
  database: Database,
  owner: string,
  conversationId: string,
  { limit, after, order }: PageQuery,
): Promise<Page<ConversationItem>> {
  if (after !== undefined && !(await findItem(database, owner, conversationId, after))) throw unknownCursor(after)
  const beyond = order === 'desc' ? '<' : '>'
  const cursor = `WHERE item.position ${beyond} (SELECT position FROM conversation_items WHERE id = ?)`
  const { results } = await database
    .prepare(
      `${pathTo(TO_HEAD)}
       SELECT ${ITEM_COLUMNS}, (${VERSIONS}) AS versions
       FROM path JOIN conversation_items AS item ON item.position = path.position
       ${after === undefined ? '' : cursor} ORDER BY item.position ${order} LIMIT ?`,
    )
    .bind(conversationId, owner, ...(after === undefined ? [] : [after]), limit + 1)
    .all<ItemRow>()
  return { data: results.slice(0, limit).map(fromRow), hasMore: results.length > limit }
}

export async function findItem(
  database: Database,
  owner: string,
  conversationId: string,
  id: string,
): Promise<ConversationItem | null> {
  const row = await database
    .prepare(`SELECT ${ITEM_COLUMNS} ${OF_CONVERSATION} AND item.id = ?`)
    .bind(conversationId, owner, id)
    .first<ItemRow>()
  return row && fromRow(row)
}

export async function deleteItem(
  database: Database,
  owner: string,
  conversationId: string,
  id: string,
  now: number,
): Promise<boolean> {
  if (!(await findItem(database, owner, conversationId, id))) return false
  await database.batch([
    database.prepare('DELETE FROM conversation_items WHERE id = ? AND conversation_id = ?').bind(id, conversationId),
    touch(database, owner, conversationId, now),
  ])
  return true
}

function unknownCursor(after: string): ApiError {
  return new ApiError('invalid_value', `Invalid 'after': there is no '${after}'.`, { param: 'after' })
}

function touch(database: Database, owner: string, id: string, now: number): Statement {
  return database
    .prepare(`UPDATE conversations SET updated_at = ${NEXT_ACTIVITY} WHERE id = ? AND owner = ?`)
    .bind(now, owner, id, owner)
}

function toConversation(row: ConversationRow): Conversation {
  return {
    id: row.id,
    object: 'conversation',
    created_at: Math.floor(row.created_at / 1000),
    updated_at: Math.floor(row.updated_at / 1000),
    metadata: JSON.parse(row.metadata),
    ...(row.branched_from !== null && row.branched_at !== null
      ? { branched_from: { conversation_id: row.branched_from, item_id: row.branched_at } }
      : {}),
  }
}

/** Text without a type is what its role says: an assistant's is output. */
function toItem({ role, status, incomplete_details, content }: ItemInput): MessageItem {
  const parts =
    typeof content === 'string'
      ? [{ type: role === 'assistant' ? 'output_text' : 'input_text', text: content }]
      : content
  return {
    id: newId('msg'),
    type: 'message',
    role,
    status,
    ...incompleteDetails(incomplete_details?.reason ?? null),
    content: parts.map(({ type, text }) =>
      type === 'output_text'
        ? { type: 'output_text' as const, text, annotations: [], logprobs: [] }
        : { type: 'input_text' as const, text },
    ),
  }
}

function fromRow({ id, role, status, incomplete_reason, content, versions = '[]' }: ItemRow): ConversationItem {
  const ids: string[] = JSON.parse(versions)
  const beside = ids.length > 1 ? { versions: ids } : {}
  if (role === 'function_call' || role === 'function_call_output') return { ...JSON.parse(content)[0], ...beside }
  return {
    id,
    type: 'message',
    role,
    status,
    ...incompleteDetails(incomplete_reason),
    content: JSON.parse(content),
    ...beside,
  }
}

/** As a message has it. */
export function incompleteDetails(reason: IncompleteReason | null): Pick<MessageItem, 'incomplete_details'> {
  return reason === null ? {} : { incomplete_details: { reason } }
}

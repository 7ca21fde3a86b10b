/**
 * The path of a conversation: from a first item to the one that it has come to. The others are versions that a path can
 * be led through again. Triggers (0005) append what is inserted to the path, and close the gap that a deletion leaves.
 */
import type { Database, Statement } from './database.ts'

/** `path (position, parent)`: the items up to the one, named `item`, that `start` selects. */
export function pathTo(start: string): string {
  return `WITH RECURSIVE path (position, parent) AS (
    SELECT item.position, item.parent ${start}
    UNION ALL
    SELECT item.position, item.parent FROM path JOIN conversation_items AS item ON item.position = path.parent
  )`
}

/** The item that a conversation has come to. Binds the conversation's id and its owner. */
export const TO_HEAD = `FROM conversations AS conversation JOIN conversation_items AS item
  ON item.position = conversation.head WHERE conversation.id = ? AND conversation.owner = ?`

/** What leads a path back to an item, or to before the first (null), so that what is inserted next comes after it. */
export function continueFrom(
  database: Database,
  owner: string,
  conversationId: string,
  itemId: string | null,
): Statement {
  if (itemId === null) {
    return database
      .prepare('UPDATE conversations SET head = NULL WHERE id = ? AND owner = ?')
      .bind(conversationId, owner)
  }
  return database
    .prepare(
      `UPDATE conversations SET head = item.position FROM conversation_items AS item
       WHERE item.id = ? AND item.conversation_id = conversations.id AND conversations.id = ? AND conversations.owner = ?`,
    )
    .bind(itemId, conversationId, owner)
}

/**
 * Leads a path through an item, and on to the newest that was said after it. The CROSS JOIN keeps SQLite from walking
 * all items once for each of them.
 */
export async function showVersion(
  database: Database,
  owner: string,
  conversationId: string,
  itemId: string,
): Promise<void> {
  await database
    .prepare(
      `UPDATE conversations SET head = (
         WITH RECURSIVE below (position) AS (
           SELECT position FROM conversation_items WHERE id = ? AND conversation_id = ?
           UNION ALL
           SELECT item.position FROM below CROSS JOIN conversation_items AS item
             ON item.conversation_id = ? AND item.parent = below.position
         )
         SELECT MAX(position) FROM below
       ) WHERE id = ? AND owner = ?`,
    )
    .bind(itemId, conversationId, conversationId, conversationId, owner)
    .run()
}

/** What copies the items up to one of a conversation into another, which is empty, under new ids. */
export function copyPath(database: Database, from: { conversationId: string; itemId: string }, to: string): Statement {
  return database
    .prepare(
      `INSERT INTO conversation_items (id, conversation_id, role, status, incomplete_reason, content, created_at)
       ${pathTo('FROM conversation_items AS item WHERE item.id = ? AND item.conversation_id = ?')}
       SELECT 'msg_' || lower(hex(randomblob(16))), ?, item.role, item.status, item.incomplete_reason,
         item.content, item.created_at
       FROM path JOIN conversation_items AS item ON item.position = path.position ORDER BY item.position`,
    )
    .bind(from.itemId, from.conversationId, to)
}

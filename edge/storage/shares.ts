/**
 * Links to a conversation as it was when it was shared: a share names the item that the conversation had come to. What is
 * said later is not in it; what is deleted leaves it too. Who has the token reads it, and only its SHA-256 is kept.
 */
import { uuidv7 } from 'uuidv7'
import type { Conversation, IncompleteReason } from '#protocol/conversations.ts'
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { Share, SharedConversation, SharedMessage } from '#protocol/shares.ts'
import { pathTo } from './conversation-path.ts'
import { incompleteDetails } from './conversations.ts'
import type { Database, Statement } from './database.ts'
import { randomSecret, sha256 } from './secrets.ts'

interface ShareRow {
  id: string
  created_at: number
}
interface MessageRow {
  role: SharedMessage['role']
  status: SharedMessage['status']
  incomplete_reason: IncompleteReason | null
  content: string
}

const TOKEN_FORM = /^[A-Za-z0-9_-]{43}$/
const PAGE = 100

/** A link, and what makes it; that fails if the conversation has as many as it may. */
export async function newShare(
  database: Database,
  conversation: Conversation,
  now: number,
): Promise<{ share: Share; token: string; statement: Statement }> {
  const id = `share_${uuidv7().replaceAll('-', '')}`
  const token = randomSecret()
  // A link without a hash cannot be.
  const statement = database
    .prepare(
      `INSERT INTO shares (id, conversation_id, token_hash, title, head, created_at)
       SELECT ?, id, CASE WHEN (SELECT COUNT(*) FROM shares WHERE conversation_id = conversations.id) < ? THEN ? END,
         ?, head, ? FROM conversations WHERE id = ?`,
    )
    .bind(id, LIMITS.shares, await sha256(token), conversation.metadata.title ?? '', now, conversation.id)
  return { share: toShare({ id, created_at: now }), token, statement }
}

/** @throws ApiError 400 if that is why a link could not be made, else `error` */
export async function refuseTooManyShares(database: Database, { id }: Conversation, error: unknown): Promise<never> {
  if (error instanceof ApiError || (await listShares(database, id)).length < LIMITS.shares) throw error
  throw new ApiError('invalid_request', `A conversation has at most ${LIMITS.shares} links. Revoke one first.`, {
    cause: error,
  })
}

/** Newest first; all of them, since there are few. */
export async function listShares(database: Database, conversationId: string): Promise<Share[]> {
  const { results } = await database
    .prepare('SELECT id, created_at FROM shares WHERE conversation_id = ? ORDER BY id DESC')
    .bind(conversationId)
    .all<ShareRow>()
  return results.map(toShare)
}

export async function deleteShare(database: Database, conversationId: string, id: string): Promise<boolean> {
  const { meta } = await database
    .prepare('DELETE FROM shares WHERE id = ? AND conversation_id = ?')
    .bind(id, conversationId)
    .run()
  return meta.changes > 0
}

/** What whoever has the token may read, from the message number `offset` on; null when it is no link, or no more. */
export async function readShared(
  database: Database,
  token: string,
  offset: number,
): Promise<SharedConversation | null> {
  if (!TOKEN_FORM.test(token)) return null
  const hash = await sha256(token)
  const share = await database
    .prepare('SELECT title, created_at FROM shares WHERE token_hash = ?')
    .bind(hash)
    .first<{ title: string; created_at: number }>()
  if (!share) return null
  const { results } = await database
    .prepare(
      `${pathTo(`FROM shares JOIN conversation_items AS item ON item.position = shares.head
         WHERE shares.token_hash = ?`)}
       SELECT item.role, item.status, item.incomplete_reason, item.content
       FROM path JOIN conversation_items AS item ON item.position = path.position
       WHERE item.role IN ('user', 'assistant') ORDER BY item.position LIMIT ? OFFSET ?`,
    )
    .bind(hash, PAGE + 1, offset)
    .all<MessageRow>()
  return {
    object: 'shared_conversation',
    title: share.title,
    created_at: Math.floor(share.created_at / 1000),
    data: results.slice(0, PAGE).map(({ role, status, incomplete_reason, content }) => ({
      role,
      status,
      ...incompleteDetails(incomplete_reason),
      content: JSON.parse(content),
    })),
    has_more: results.length > PAGE,
  }
}

function toShare({ id, created_at }: ShareRow): Share {
  return { id, object: 'conversation.share', created_at: Math.floor(created_at / 1000) }
}

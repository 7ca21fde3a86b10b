/** The conversation that a path names, if it is the caller's. */
import type { Conversation } from '#protocol/conversations.ts'
import { ApiError } from '#protocol/error.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { findConversation } from '../storage/conversations.ts'

export const CONVERSATIONS = '/v1/conversations'

export const ownerOf = (c: EdgeContext): string => principalOf(c).owner
export const idOf = (c: EdgeContext): string => c.req.param('id') ?? ''

/** @throws ApiError 404 when it is not there, or another's */
export async function conversationOf(c: EdgeContext): Promise<Conversation> {
  return (await findConversation(c.env.DB, ownerOf(c), idOf(c))) ?? missing(idOf(c))
}

/** @throws ApiError 404 */
export function missing(name: string): never {
  throw new ApiError('not_found', `There is no '${name.slice(0, 100)}'.`)
}

import {
  type NewShare,
  newShareSchema,
  shareDeletedSchema,
  sharedConversationSchema,
  sharedQuerySchema,
  shareListSchema,
} from '#protocol/shares.ts'
import { onceForCaller } from '../http/once-for-caller.ts'
import { validate } from '../http/validate.ts'
import { ownOrigin } from '../sessions/origin.ts'
import { deleteShare, listShares, newShare, readShared, refuseTooManyShares } from '../storage/shares.ts'
import type { Operation } from './operation.ts'
import { CONVERSATIONS, conversationOf, missing } from './own-conversation.ts'

const PATH = `${CONVERSATIONS}/{id}/share`
const common = { scope: 'conversations', tag: 'Sharing' } as const

export const shareOperations: readonly Operation[] = [
  {
    ...common,
    method: 'GET',
    path: PATH,
    summary: 'List the links to a conversation',
    answer: { description: 'Its links, newest first, without their addresses', schema: shareListSchema },
    async handle(c) {
      const { id } = await conversationOf(c)
      return c.json({ object: 'list', data: await listShares(c.env.DB, id) })
    },
  },
  {
    ...common,
    method: 'POST',
    path: PATH,
    summary: 'Share a conversation by a link',
    description:
      'Whoever has the link reads the conversation as it is now, until the link is revoked or the conversation deleted. ' +
      'The address is given this once; with an Idempotency-Key again to the key or session that asked.',
    answer: { description: 'The link', schema: newShareSchema },
    errors: ['idempotency_key_reused'],
    async handle(c) {
      const conversation = await conversationOf(c)
      const { share, token, statement } = await newShare(c.env.DB, conversation, Date.now())
      const answer: NewShare = { ...share, url: `${ownOrigin(c.req.raw)}/shared/${token}` }
      c.header('cache-control', 'no-store')
      return c.json(
        await onceForCaller(c, {}, [statement], answer).catch((error: unknown) =>
          refuseTooManyShares(c.env.DB, conversation, error),
        ),
      )
    },
  },
  {
    ...common,
    method: 'DELETE',
    path: `${PATH}/{share_id}`,
    summary: 'Revoke a link',
    answer: { description: 'It leads nowhere now', schema: shareDeletedSchema },
    async handle(c) {
      const share = c.req.param('share_id') ?? ''
      const { id } = await conversationOf(c)
      if (!(await deleteShare(c.env.DB, id, share))) missing(share)
      return c.json({ id: share, object: 'conversation.share.deleted', deleted: true })
    },
  },
  {
    method: 'GET',
    path: '/v1/shared/{token}',
    scope: null,
    tag: 'Sharing',
    summary: 'Read a shared conversation',
    query: sharedQuerySchema,
    answer: { description: 'A hundred of its messages', schema: sharedConversationSchema },
    async handle(c) {
      const { offset } = validate(sharedQuerySchema, c.req.query())
      const shared = await readShared(c.env.DB, c.req.param('token') ?? '', offset)
      c.header('cache-control', 'no-store')
      c.header('x-robots-tag', 'noindex, nofollow')
      return c.json(shared ?? missing('shared conversation'))
    },
  },
]

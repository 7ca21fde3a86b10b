/** `/v1/keys`: who may ask, and how much. */
import { pageQuerySchema } from '#protocol/conversations.ts'
import { ApiError } from '#protocol/error.ts'
import {
  type ApiKey,
  keyCreateSchema,
  keyDeletedSchema,
  keyListSchema,
  keySchema,
  keyUpdateSchema,
  newKeySchema,
} from '#protocol/keys.ts'
import { EVERY_SCOPE } from '#protocol/scopes.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { readBody } from '../http/body.ts'
import { onceForCaller } from '../http/once-for-caller.ts'
import { validate } from '../http/validate.ts'
import { forgetAll } from '../sessions/authenticate.ts'
import { isAdministeredWithout, listKeys, newKey, readKey, revokeKey, updateKey } from '../storage/keys.ts'
import { newOwner } from '../storage/secrets.ts'
import type { Operation } from './operation.ts'

const PATH = '/v1/keys'
const common = { scope: 'admin', tag: 'Keys' } as const

export const keyOperations: readonly Operation[] = [
  {
    ...common,
    method: 'GET',
    path: PATH,
    summary: 'List the API keys',
    description: 'Those that were revoked, too. A key itself is shown once, when it is made.',
    query: pageQuerySchema,
    answer: { description: 'A page of keys', schema: keyListSchema },
    async handle(c) {
      const { data, hasMore } = await listKeys(c.env.DB, validate(pageQuerySchema, c.req.query()))
      const ids = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
      return c.json({ object: 'list', data, ...ids, has_more: hasMore })
    },
  },
  {
    ...common,
    method: 'POST',
    path: PATH,
    summary: 'Make an API key',
    description:
      'Each key is somebody’s: it sees the things of its owner alone, who is somebody new unless an owner is given. The answer is the only one that has the key in it; with an Idempotency-Key it is given again to the key or session that asked.',
    body: keyCreateSchema,
    answer: { description: 'The key', schema: newKeySchema },
    errors: ['idempotency_key_reused'],
    example: { name: 'translations', scopes: ['chat', 'models'], limits: { requests_per_minute: 60 } },
    async handle(c) {
      const body = await readBody(c.req.raw, keyCreateSchema)
      const { name, scopes, owner, expires_at, limits } = body
      requireOwnScopes(c, scopes)
      const { shown, key, statement } = await newKey(c.env.DB, {
        name,
        scopes,
        owner: owner ?? newOwner(),
        limits,
        ...(expires_at != null && { expiresAt: requireFuture(expires_at) }),
      })
      const answer = { ...shown, key }
      return c.json(await onceForCaller(c, body, [statement], answer), 200, { 'cache-control': 'no-store' })
    },
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}`,
    summary: 'Read an API key',
    answer: { description: 'The key, without the secret', schema: keySchema },
    errors: ['not_found'],
    handle: async (c) => c.json(await keyOf(c, idOf(c))),
  },
  {
    ...common,
    method: 'POST',
    path: `${PATH}/{id}`,
    summary: 'Change an API key',
    description: 'What is left out stays. It counts within half a minute.',
    body: keyUpdateSchema,
    answer: { description: 'The key', schema: keySchema },
    errors: ['not_found', 'last_admin_key'],
    async handle(c) {
      const change = await readBody(c.req.raw, keyUpdateSchema)
      const key = await keyOf(c, idOf(c))
      if (!mayAdminister(change.scopes ?? key.scopes) || change.expires_at != null) await requireAnotherAdmin(c, key)
      if (change.scopes) requireOwnScopes(c, change.scopes)
      if (change.expires_at != null) requireFuture(change.expires_at)
      await updateKey(c.env.DB, idOf(c), change)
      forgetAll()
      return c.json(await keyOf(c, idOf(c)))
    },
  },
  {
    ...common,
    method: 'DELETE',
    path: `${PATH}/{id}`,
    summary: 'Revoke an API key',
    description: 'It ends within half a minute, and with it every session that it was exchanged for.',
    answer: { description: 'It is revoked', schema: keyDeletedSchema },
    errors: ['not_found', 'key_in_use', 'last_admin_key'],
    async handle(c) {
      if (idOf(c) === principalOf(c).keyId) {
        throw new ApiError('key_in_use', 'This is the key that you ask with; revoke it with another one.')
      }
      await requireAnotherAdmin(c, await keyOf(c, idOf(c)))
      if (!(await revokeKey(c.env.DB, idOf(c)))) missing(c)
      forgetAll()
      return c.json({ id: idOf(c), object: 'api_key.deleted', deleted: true })
    },
  },
]

const idOf = (c: EdgeContext) => c.req.param('id') ?? ''

async function keyOf(c: EdgeContext, id: string): Promise<ApiKey> {
  return (await readKey(c.env.DB, id)) ?? missing(c)
}

function missing(c: EdgeContext): never {
  throw new ApiError('not_found', `There is no API key '${idOf(c).slice(0, 100)}'.`)
}

const mayAdminister = (scopes: readonly string[]) => scopes.includes('admin') || scopes.includes(EVERY_SCOPE)

/** @throws ApiError 409 if nobody could administer any more without this key */
async function requireAnotherAdmin(c: EdgeContext, key: ApiKey): Promise<void> {
  if (!mayAdminister(key.scopes) || (await isAdministeredWithout(c.env.DB, key.id))) return
  const message = 'Nobody could administer without this key; make another one with the scope admin first.'
  throw new ApiError('last_admin_key', message)
}

/** Nobody gives what they do not have. */
function requireOwnScopes(c: EdgeContext, scopes: readonly string[]): void {
  const own = principalOf(c).scopes
  const more = own.includes(EVERY_SCOPE) ? undefined : scopes.find((scope) => !own.includes(scope))
  if (more === undefined) return
  throw new ApiError('insufficient_scope', `Your own API key lacks the scope '${more}'.`, { param: 'scopes' })
}

/** @param seconds since the epoch @returns milliseconds */
function requireFuture(seconds: number): number {
  if (seconds * 1000 > Date.now()) return seconds * 1000
  throw new ApiError('invalid_value', `Invalid 'expires_at': expected a time to come, got ${seconds}.`, {
    param: 'expires_at',
  })
}

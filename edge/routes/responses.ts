/** `/v1/responses`: answers that are kept, and that go on whoever reads them. */

import { ApiError } from '#protocol/error.ts'
import {
  type Item,
  inputItemsQuerySchema,
  itemListSchema,
  type ResponseRequest,
  responseDeletedSchema,
  responseQuerySchema,
  responseRequestSchema,
  responseSchema,
} from '#protocol/responses.ts'
import { accountOf, rateLimits } from '../accounts/admission.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { readBody } from '../http/body.ts'
import { idempotent, refuseKeyedStream } from '../http/idempotent.ts'
import { validate } from '../http/validate.ts'
import { begin, type Caller, fingerprintOf, idFor, RESPONSE_ID, toNewRecord } from '../responses/create.ts'
import { newId } from '../responses/items.ts'
import { objectOf } from '../responses/response-object.ts'
import { unstored } from '../responses/unstored.ts'
import { GENERATION_ERRORS, type Operation } from './operation.ts'

const PATH = '/v1/responses'
const common = { scope: 'chat', tag: 'Responses' } as const

export const responseOperations: readonly Operation[] = [
  {
    ...common,
    method: 'POST',
    path: PATH,
    summary: 'Make a response',
    description:
      'OpenAI’s responses. Unless store is false the response is kept and goes on when its reader leaves; with background it is answered later. With stream its events come as server-sent events with sequence numbers.',
    body: responseRequestSchema,
    answer: { description: 'The response', schema: responseSchema },
    errors: [
      ...GENERATION_ERRORS,
      'previous_response_not_found',
      'conversation_locked',
      'idempotency_key_reused',
      'request_in_flight',
    ],
    example: { model: 'smollm2-135m-instruct', input: 'Hello' },
    handle: create,
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}`,
    summary: 'Read a response',
    description:
      'With stream=true its events, from the one after starting_after (or after the header Last-Event-ID); those to come, too.',
    query: responseQuerySchema,
    answer: { description: 'The response', schema: responseSchema },
    errors: ['not_found'],
    async handle(c) {
      const { stream, starting_after } = validate(responseQuerySchema, c.req.query())
      if (stream === 'true') return events(c, idOf(c), starting_after ?? lastEventId(c))
      return json((await stored(c).response(idOf(c))) ?? missing(c))
    },
  },
  {
    ...common,
    method: 'DELETE',
    path: `${PATH}/{id}`,
    summary: 'Delete a response',
    answer: { description: 'It is gone', schema: responseDeletedSchema },
    errors: ['not_found'],
    async handle(c) {
      if (!(await stored(c).remove(idOf(c)))) missing(c)
      return c.json({ id: idOf(c), object: 'response', deleted: true })
    },
  },
  {
    ...common,
    method: 'POST',
    path: `${PATH}/{id}/cancel`,
    summary: 'Stop a response',
    description: 'It keeps what it has. One that has ended stays as it is.',
    answer: { description: 'The response', schema: responseSchema },
    errors: ['not_found'],
    handle: async (c) => json((await stored(c).cancel(idOf(c))) ?? missing(c)),
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}/input_items`,
    summary: 'List what a response answers',
    query: inputItemsQuerySchema,
    answer: { description: 'A page of items', schema: itemListSchema },
    errors: ['not_found'],
    async handle(c) {
      const { limit, after, order } = validate(inputItemsQuerySchema, c.req.query())
      const items = JSON.parse((await stored(c).input(idOf(c))) ?? missing(c)) as Item[]
      if (order === 'desc') items.reverse()
      const from = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1
      if (after !== undefined && from === 0) {
        throw new ApiError('invalid_value', `Invalid 'after': there is no '${after}'.`, { param: 'after' })
      }
      const data = items.slice(from, from + limit)
      const ids = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
      return c.json({ object: 'list', data, ...ids, has_more: items.length > from + limit })
    },
  },
]

const owner = (c: EdgeContext) => principalOf(c).owner
const idOf = (c: EdgeContext) => c.req.param('id') ?? ''
const stored = (c: EdgeContext) => objectOf(c.env.RESPONSES, owner(c), RESPONSE_ID.test(idOf(c)) ? idOf(c) : missing(c))

async function create(c: EdgeContext): Promise<Response> {
  const request = await readBody(c.req.raw, responseRequestSchema)
  const caller = { account: accountOf(principalOf(c)), requestId: c.get('requestId') }
  if (!request.store) {
    refuseKeyedStream(c, request.stream)
    return idempotent(c, request, () => createUnstored(c, request, caller))
  }
  const id = await idFor(caller.account.owner, c.req.header('idempotency-key'))
  const stub = objectOf(c.env.RESPONSES, owner(c), id)
  const known =
    c.req.header('idempotency-key') === undefined ? 'nobody' : await stub.begunBy(id, await fingerprintOf(request))
  if (known === 'other') {
    throw new ApiError('idempotency_key_reused', 'This Idempotency-Key was used for another request already.')
  }
  const { account } = caller
  const { headers } =
    known === 'nobody'
      ? await begin(c.env, request, await toNewRecord(c.env, request, { id, ...caller }))
      : { headers: await rateLimits(c.env, account) }
  if (request.stream) return served(c, await events(c, id, -1), headers)
  const response = request.background ? await stub.response(id) : await stub.whole(id)
  return served(c, json(response ?? missing(c)), headers)
}

async function createUnstored(c: EdgeContext, request: ResponseRequest, caller: Caller): Promise<Response> {
  const record = await toNewRecord(c.env, request, { id: newId('resp'), ...caller })
  const run = await unstored(c.env, record, c.req.raw.signal, (work) => c.executionCtx.waitUntil(work))
  const response = request.stream ? eventStream(run.events()) : json(JSON.stringify(await run.whole()))
  return served(c, response, run.admission.headers)
}

async function events(c: EdgeContext, id: string, after: number): Promise<Response> {
  if (!RESPONSE_ID.test(id)) missing(c)
  return eventStream((await objectOf(c.env.RESPONSES, owner(c), id).events(id, after)) ?? missing(c))
}

function lastEventId(c: EdgeContext): number {
  const header = c.req.header('last-event-id')
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : -1
}

function eventStream(body: ReadableStream<Uint8Array>): Response {
  const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' }
  return new Response(body, { headers: { ...headers, 'cache-control': 'no-store' } })
}

function json(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } })
}

function served(c: EdgeContext, response: Response, limits: Readonly<Record<string, string>>): Response {
  for (const [name, value] of Object.entries(limits)) response.headers.set(name, value)
  response.headers.set('x-served-by', 'runner')
  response.headers.set('openai-processing-ms', String(Date.now() - c.get('startedAt')))
  return response
}

function missing(c: EdgeContext): never {
  throw new ApiError('not_found', `There is no response '${idOf(c).slice(0, 100)}'.`)
}

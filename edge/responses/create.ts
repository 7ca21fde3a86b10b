/** Makes a response: its context, its place in a conversation, its owner; or refuses it with nothing left behind. */
import { ROOT_ITEM } from '#protocol/conversations.ts'
import { ApiError } from '#protocol/error.ts'
import type { Response as ApiResponse, Item, ResponseRequest } from '#protocol/responses.ts'
import { type Admission, admit, settle } from '../accounts/admission.ts'
import type { Account } from '../accounts/holder.ts'
import { countTokens } from '../accounts/token-counter.ts'
import type { Bindings } from '../env.ts'
import { Runners } from '../runners/runners.ts'
import { findConversation, listItems } from '../storage/conversations.ts'
import { sha256 } from '../storage/secrets.ts'
import { activeTurn, beginTurn, endTurn, type NewTurn, undoTurn } from '../storage/turns.ts'
import { newId, toItem } from './items.ts'
import type { ResponseRecord } from './record.ts'
import { objectOf } from './response-object.ts'
import { renamed, toRecord } from './request.ts'

/** Only what could be one is looked for. */
export const RESPONSE_ID = /^resp_[0-9a-f]{32,40}$/
const MOST_SEED = 2 ** 48
/** Items of a conversation that an answer follows at most. */
const MOST_ITEMS = 2048
const ITEMS_A_PAGE = 100
/** A response that has taken its turn and is not there after so long was never begun. */
const BEGINS_MS = 5_000

export interface Caller {
  readonly account: Account
  readonly requestId: string
}

/** @throws ApiError */
export async function toNewRecord(
  env: Bindings,
  request: ResponseRequest,
  { id, account, requestId }: Caller & { readonly id: string },
): Promise<ResponseRecord> {
  const record = toRecord({
    request,
    id,
    account,
    requestId,
    now: Date.now(),
    seed: request.seed ?? Math.floor(Math.random() * MOST_SEED),
    input: [...(await contextOf(env, request, { owner: account.owner, id })), ...ownItems(request)],
  })
  return request.truncation === 'auto' ? truncated(env, record) : record
}

/**
 * The id of a response that is kept: the same `Idempotency-Key` of the same owner has the same.
 * @param key the header
 */
export async function idFor(owner: string, key: string | undefined): Promise<string> {
  if (key === undefined) return newId('resp')
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new ApiError('invalid_value', 'Idempotency-Key must be 1 to 255 printable ASCII characters.')
  }
  return `resp_${(await sha256(`response ${owner.length} ${owner} ${key}`)).slice(0, 40)}`
}

/** What tells one request from another. */
export const fingerprintOf = (request: ResponseRequest): Promise<string> => sha256(JSON.stringify(request))

/** Begins a stored response. @throws ApiError what it is refused with */
export async function begin(env: Bindings, request: ResponseRequest, record: ResponseRecord): Promise<Admission> {
  const {
    account,
    requestId,
    response: { id },
    generation,
  } = record
  const admission = await admit(env, account, id, [generation], requestId).catch((error: unknown) => {
    throw renamed(error)
  })
  try {
    const [bounded = generation] = admission.requests
    await beginAdmitted(env, request, { ...record, generation: bounded })
    return admission
  } catch (error) {
    // Begun by another request at the same moment: what is reserved is that one's.
    const isAnothers = error instanceof ApiError && error.code === 'idempotency_key_reused'
    if (!isAnothers) await settle(env, account, id, [])
    throw error
  }
}

async function beginAdmitted(env: Bindings, request: ResponseRequest, record: ResponseRecord): Promise<void> {
  const { owner, response } = record
  const fingerprint = await fingerprintOf(request)
  const stub = objectOf(env.RESPONSES, owner, response.id)
  const { conversation } = request
  const turn = response.conversation && {
    owner,
    conversation: response.conversation.id,
    response: response.id,
    now: record.createdAt,
    previous: previousOf(conversation),
    items: record.input.slice(record.input.length - ownItems(request).length),
  }
  const isTaken = turn !== null && (await takeTurn(env, turn))
  const refusal = await stub.begin(record, fingerprint)
  if (!refusal) return
  if (turn && isTaken) await undoTurn(env.DB, turn)
  throw renamed(ApiError.fromDetail(refusal.error, 'internal_error', refusal.retryAfter ?? undefined))
}

/** Whether it was free; false if it is this response's already. @throws ApiError 409 if it is another's */
async function takeTurn(env: Bindings, turn: NewTurn): Promise<boolean> {
  const holder = await beginTurn(env.DB, turn)
  if (holder === undefined || holder === turn.response) return holder === undefined
  throw new ApiError('conversation_locked', `Another response, '${holder}', is being written in this conversation.`)
}

/**
 * Gives a conversation back whose response has ended, or never began, where that could not be written down: its edge was
 * killed, or the database was away. What it answered is in the conversation then, and before the next response's eyes.
 */
async function freeConversation(
  env: Bindings,
  { owner, conversation, response }: { owner: string; conversation: string; response: string },
): Promise<void> {
  const held = await activeTurn(env.DB, owner, conversation)
  // The same request again goes on with its own turn.
  if (held === null || held.response === response) return
  const kept = await objectOf(env.RESPONSES, owner, held.response).response(held.response)
  const now = Date.now()
  const turn = { owner, conversation, response: held.response, now }
  if (kept === null) {
    // Between its turn and its response there are some milliseconds.
    if (now - held.createdAt >= BEGINS_MS) await undoTurn(env.DB, { ...turn, previous: undefined, items: [] })
    return
  }
  const ended = JSON.parse(kept) as ApiResponse
  if (ended.status !== 'in_progress' && ended.status !== 'queued') await endTurn(env.DB, { ...turn, ended })
}

function ownItems({ input }: ResponseRequest): Item[] {
  return typeof input === 'string'
    ? input === ''
      ? []
      : [toItem({ role: 'user', content: input })]
    : input.map(toItem)
}

/** What was said before. */
async function contextOf(
  env: Bindings,
  request: ResponseRequest,
  { owner, id: response }: { readonly owner: string; readonly id: string },
): Promise<Item[]> {
  const { previous_response_id: previous, conversation } = request
  if (previous != null && conversation != null) {
    throw new ApiError('invalid_value', "'previous_response_id' does not go with 'conversation'.", {
      param: 'previous_response_id',
    })
  }
  if (previous != null) return afterResponse(env, previous, owner)
  if (conversation == null) return []
  const id = typeof conversation === 'string' ? conversation : conversation.id
  const freed = freeConversation(env, { owner, conversation: id, response })
  const [found] = await Promise.all([findConversation(env.DB, owner, id), freed])
  if (!found) {
    throw new ApiError('not_found', `There is no conversation '${id}'.`, { param: 'conversation' })
  }
  const items = await itemsOf(env, owner, id)
  const answered = previousOf(conversation)
  if (answered === undefined) return items
  if (answered === null) return []
  const at = items.findIndex((item) => item.id === answered)
  if (at >= 0) return items.slice(0, at + 1)
  throw new ApiError('invalid_value', `The conversation does not show an item '${answered}'.`, {
    param: 'conversation.previous_item_id',
  })
}

/** The item that is answered: null for none, undefined for the last. */
function previousOf(conversation: ResponseRequest['conversation']): string | null | undefined {
  const previous = typeof conversation === 'object' ? conversation?.previous_item_id : undefined
  return previous === ROOT_ITEM ? null : previous
}

async function itemsOf(env: Bindings, owner: string, conversation: string): Promise<Item[]> {
  const items: Item[] = []
  for (let after: string | undefined; items.length < MOST_ITEMS; after = items.at(-1)?.id) {
    const from = after === undefined ? {} : { after }
    const page = await listItems(env.DB, owner, conversation, { limit: ITEMS_A_PAGE, order: 'asc', ...from })
    for (const { versions: _, ...item } of page.data) items.push(item)
    if (!page.hasMore) break
  }
  return items
}

async function afterResponse(env: Bindings, id: string, owner: string): Promise<Item[]> {
  const stub = RESPONSE_ID.test(id) ? objectOf(env.RESPONSES, owner, id) : undefined
  const [input = null, response = null] = await Promise.all([stub?.input(id), stub?.response(id)])
  if (input === null || response === null) {
    throw new ApiError('previous_response_not_found', `Previous response with id '${id}' not found.`, {
      param: 'previous_response_id',
    })
  }
  const { status, output } = JSON.parse(response) as ApiResponse
  if (status === 'queued' || status === 'in_progress') {
    throw new ApiError('invalid_value', `The response '${id}' has not ended yet.`, { param: 'previous_response_id' })
  }
  return [...(JSON.parse(input) as Item[]), ...output]
}

/** Leaves out as few of the earliest turns as it takes to fit in the context; the last one stays. */
async function truncated(env: Bindings, record: ResponseRecord): Promise<ResponseRecord> {
  const { generation, input } = record
  if (generation.prompt.type !== 'chat') return record
  const { messages, tools } = generation.prompt
  const instructions = record.response.instructions === null ? 0 : 1
  const runners = new Runners(env, record.requestId)
  const without = (count: number) => [...messages.slice(0, instructions), ...messages.slice(instructions + count)]
  const fits = async (count: number): Promise<boolean> => {
    const prompt = { type: 'chat' as const, messages: without(count), ...(tools && { tools }) }
    const { tokens, contextLength } = await countTokens(runners, generation.model, prompt)
    return tokens + (generation.maxTokens ?? 1) <= contextLength
  }
  // A turn begins with what a user says: calls and what they gave stay together.
  const starts = [0]
  for (let i = 1; i < messages.length - instructions; i++)
    if (messages[instructions + i]?.role === 'user') starts.push(i)
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (await fits(starts[middle] as number)) high = middle
    else low = middle + 1
  }
  const left = starts[low] as number
  if (left === 0) return record
  const prompt = { ...generation.prompt, messages: without(left) }
  return { ...record, generation: { ...generation, prompt }, input }
}

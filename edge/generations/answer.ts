/** The answer to a request for generations, whole or as it comes. Whoever stops listening stops the runner. */
import { ApiError } from '#protocol/error.ts'
import type { GenerationRequest } from '#protocol/generation.ts'
import { accountOf, admit, Meter, renewing, settle } from '../accounts/admission.ts'
import type { Account } from '../accounts/holder.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import type { Bindings } from '../env.ts'
import { eventStream } from '../http/event-stream.ts'
import { logFailure } from '../http/log.ts'
import { ClientGone } from '../runners/runner.ts'
import { Runners } from '../runners/runners.ts'
import { newUsageId } from '../storage/usage.ts'
import { generateAll, type Indexed, type Listener } from './fan-out.ts'

export interface Asked {
  readonly requests: readonly GenerationRequest[]
  readonly stream: boolean
  readonly pieces: (events: AsyncIterable<Indexed>) => AsyncGenerator<unknown>
  readonly whole: (events: AsyncIterable<Indexed>) => Promise<object>
}

/** @throws ApiError if a limit is in the way, the runner refuses, or it fails before anything has been sent */
export async function answer(c: EdgeContext, { requests: asked, stream, pieces, whole }: Asked): Promise<Response> {
  const stop = new AbortController()
  const requestId = c.get('requestId')
  const account = accountOf(principalOf(c))
  const logged = (error: unknown) => logFailure({ requestId, method: c.req.method, route: c.req.path }, error)
  const id = newUsageId()
  const { headers, requests } = await admit(c.env, account, id, asked, requestId)
  const bill = new Bill(c.env, account, { id, route: c.req.path, requests })
  // It is settled even if the client has gone.
  c.executionCtx.waitUntil(bill.settled.catch(logged))
  const signal = AbortSignal.any([c.req.raw.signal, stop.signal])
  const events = await generateAll(new Runners(c.env, requestId), bill.requests, signal, bill)
  const response = stream
    ? await eventStream(pieces(events), {
        onCancel: () => stop.abort(),
        onError(error) {
          if (!(error instanceof ApiError || error instanceof ClientGone)) logged(error)
        },
      })
    : Response.json(await whole(events))
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value)
  response.headers.set('x-served-by', 'runner')
  response.headers.set('openai-processing-ms', String(Date.now() - c.get('startedAt')))
  response.headers.set('cache-control', 'no-store')
  return response
}

interface Admitted {
  /** Of the request, in the ledger. */
  readonly id: string
  readonly route: string
  readonly requests: readonly GenerationRequest[]
}

/** What a request has used, written down when it ends, however it ends. */
class Bill implements Listener {
  /** As they are asked of runners, which know whose account they go on. */
  readonly requests: readonly GenerationRequest[]
  readonly settled: Promise<void>
  readonly settle: () => void
  readonly #meters: readonly Meter[]

  constructor(env: Bindings, account: Account, { id, route, requests }: Admitted) {
    const bills = requests.map((_, i) => ({
      id: `${id}.${i}`,
      request: id,
      of: requests.length,
      keyId: account.keyId,
      route,
    }))
    this.requests = requests.map((request, i) => ({ ...request, bill: bills[i] }))
    const ended = Promise.withResolvers<void>()
    this.settle = () => ended.resolve()
    this.#meters = requests.map(() => new Meter(Date.now()))
    const reservation = renewing(env, account, id)
    this.settled = ended.promise.then(() => {
      reservation[Symbol.dispose]()
      const now = Date.now()
      const rows = requests.flatMap(({ model }, i) => {
        const metered = { id: `${id}.${i}`, account, model, route }
        // One of several that was refused ends the others: what runners tell of those must not count.
        const row = requests.length > 1 ? this.#meters[i]?.row(metered, now) : this.#meters[i]?.entry(metered, now)
        return row ? [row] : []
      })
      return settle(env, account, id, rows)
    })
  }

  take({ index, event }: Indexed): void {
    this.#meters[index]?.take(event)
  }
}

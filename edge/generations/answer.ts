/** The answer to a request for generations, whole or as it comes. Whoever stops listening stops the runner. */
import { ApiError } from '#protocol/error.ts'
import type { GenerationRequest } from '#protocol/generation.ts'
import type { EdgeContext } from '../context.ts'
import { eventStream } from '../http/event-stream.ts'
import { logFailure } from '../http/log.ts'
import { ClientGone } from '../runners/runner.ts'
import { Runners } from '../runners/runners.ts'
import { generateAll, type Indexed } from './fan-out.ts'

export interface Asked {
  readonly requests: readonly GenerationRequest[]
  readonly stream: boolean
  readonly pieces: (events: AsyncIterable<Indexed>) => AsyncGenerator<unknown>
  readonly whole: (events: AsyncIterable<Indexed>) => Promise<object>
}

/** @throws ApiError if the runner refuses, or fails before anything has been sent */
export async function answer(c: EdgeContext, { requests, stream, pieces, whole }: Asked): Promise<Response> {
  const stop = new AbortController()
  const requestId = c.get('requestId')
  const runner = new Runners(c.env, requestId)
  const events = await generateAll(runner, requests, AbortSignal.any([c.req.raw.signal, stop.signal]))
  const response = stream
    ? await eventStream(pieces(events), {
        onCancel: () => stop.abort(),
        onError(error) {
          if (error instanceof ApiError || error instanceof ClientGone) return
          logFailure({ requestId, method: c.req.method, route: c.req.path }, error)
        },
      })
    : Response.json(await whole(events))
  response.headers.set('x-served-by', 'runner')
  response.headers.set('openai-processing-ms', String(Date.now() - c.get('startedAt')))
  response.headers.set('cache-control', 'no-store')
  return response
}

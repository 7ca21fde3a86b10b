/** Several generations as one: the answers of a request with `n`, or with several prompts. */
import type { GenerationEvent, GenerationRequest } from '#protocol/generation.ts'
import type { Runners } from '../runners/runners.ts'

/** An event of the generation with that place in the list. */
export interface Indexed {
  readonly index: number
  readonly event: GenerationEvent
}

/** Who hears of all of them what each has said, and when they have ended, however they end. */
export interface Listener {
  take(indexed: Indexed): void
  settle(): void
}

/**
 * Begins all of them; their events come as they come. The first that fails ends the others.
 * @throws ApiError what the runner refuses one of the requests with
 */
export async function generateAll(
  runner: Pick<Runners, 'generate'>,
  requests: readonly GenerationRequest[],
  signal: AbortSignal,
  listener: Listener,
): Promise<AsyncGenerator<Indexed>> {
  const stop = new AbortController()
  const any = AbortSignal.any([signal, stop.signal])
  try {
    const streams = await Promise.all(requests.map((request) => runner.generate(request, any)))
    const [only] = streams
    return only && streams.length === 1 ? single(only, listener) : merged(streams, stop, listener)
  } catch (error) {
    stop.abort()
    listener.settle()
    throw error
  }
}

/** Most requests: without a race for each token. */
async function* single(stream: AsyncGenerator<GenerationEvent>, listener: Listener): AsyncGenerator<Indexed> {
  try {
    for await (const event of stream) {
      const indexed = { index: 0, event }
      listener.take(indexed)
      yield indexed
    }
  } finally {
    listener.settle()
  }
}

async function* merged(
  streams: readonly AsyncGenerator<GenerationEvent>[],
  stop: AbortController,
  listener: Listener,
): AsyncGenerator<Indexed> {
  const next = async (index: number) => ({ index, result: await (streams[index] as (typeof streams)[number]).next() })
  const pending = new Map(streams.map((_, index) => [index, next(index)]))
  try {
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values())
      if (result.done) {
        pending.delete(index)
        continue
      }
      pending.set(index, next(index))
      const indexed = { index, event: result.value }
      listener.take(indexed)
      yield indexed
    }
  } finally {
    stop.abort()
    listener.settle()
    // What is still awaited fails now, and nobody waits for it.
    await Promise.allSettled(pending.values())
  }
}

/** The same request `n` times, each with a seed of its own. */
export function repeated(request: GenerationRequest, n: number): GenerationRequest[] {
  return Array.from({ length: n }, (_, i) => ({ ...request, seed: request.seed === null ? null : request.seed + i }))
}

/**
 * Long translations as server-sent events: each piece as it is translated, then the answer that would have come whole, `[DONE]`.
 * Batches are small at first, so that something is there soon.
 */
import { ApiError } from '#protocol/error.ts'
import type { TranslationEvent } from '#protocol/translation-events.ts'
import type { EdgeContext } from '../context.ts'
import { bodyIn, dialectOf } from '../http/dialect.ts'
import { eventStream } from '../http/event-stream.ts'
import { logFailure } from '../http/log.ts'
import { ClientGone } from '../runners/runner.ts'
import type { BegunTranslation } from './metered.ts'
import type { TranslatedText } from './translate-texts.ts'

/**
 * @param answerOf the whole
 * @throws what fails before the first piece is there
 */
export async function streamTranslations(
  c: EdgeContext,
  { events, headers, stop }: BegunTranslation,
  answerOf: (translated: readonly TranslatedText[]) => object,
): Promise<Response> {
  async function* told(): AsyncGenerator<TranslationEvent | object> {
    const translated = yield* named(events)
    yield answerOf(translated)
  }
  const dialect = dialectOf(c.req.path)
  const response = await eventStream(told(), {
    onCancel: stop,
    onError(error) {
      if (error instanceof ApiError || error instanceof ClientGone) return
      logFailure({ requestId: c.get('requestId'), method: c.req.method, route: c.req.routePath }, error)
    },
    bodyOf: (error) => bodyIn(dialect, error),
  })
  for (const [name, value] of Object.entries(headers())) response.headers.set(name, value)
  return response
}

async function* named(events: BegunTranslation['events']): AsyncGenerator<TranslationEvent, TranslatedText[]> {
  for (;;) {
    const step = await events.next()
    if (step.done) return step.value
    const { index, text, done, total } = step.value
    yield { object: 'translation.piece', index, text, done, total }
  }
}

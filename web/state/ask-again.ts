/** Asks again by itself what no runner could answer, once one can. */
import { effect, type ReadonlySignal } from '@preact/signals'
import type { RequestFailure } from '../transport/failure.ts'
import type { ChatSession } from './chat-session.ts'
import type { ServerState } from './server-state.ts'

const SHORTEST_SECONDS = 2
const LONGEST_SECONDS = 30

/** Whether a question failed for want of somebody to answer it. */
export function isAskedAgain(failure: RequestFailure): boolean {
  return failure.kind === 'network' || failure.code === 'runner_unavailable' || failure.code === 'model_loading'
}

/** Waits until the server says it is well, then as long as it asks for, and longer each time that it refuses still. */
export function askAgainWhenBack(server: ServerState, current: ReadonlySignal<ChatSession>): void {
  let question: string | undefined
  let attempts = 0
  effect(() => {
    const session = current.value
    const turns = session.turns.value
    const asked = turns.findLast(({ role }) => role === 'user')?.key
    if (asked !== question) {
      question = asked
      attempts = 0
    }
    const last = turns.at(-1)
    const failure = last?.failure.value
    if (!failure || !isAskedAgain(failure) || last?.text.peek() !== '') return
    if (server.health.value.status !== 'ok' || session.busy.value) return
    const longer = Math.min(LONGEST_SECONDS, SHORTEST_SECONDS ** (attempts + 1))
    const timer = setTimeout(
      () => {
        attempts++
        void session.retry()
      },
      1000 * Math.max(failure.retryAfter ?? 0, longer),
    )
    return () => clearTimeout(timer)
  })
}

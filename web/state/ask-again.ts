/** Asks again by itself what no runner could answer, once one can. */
import { effect, type ReadonlySignal } from '@preact/signals'
import type { RequestFailure } from '../transport/failure.ts'
import type { ChatSession } from './chat-session.ts'
import type { ServerState } from './server-state.ts'

const WAIT_SECONDS = 2
/** Of a server that says it is well, and refuses all the same. */
const MOST_ATTEMPTS = 5

/** Whether a question failed for want of somebody to answer it. */
export function isAskedAgain(failure: RequestFailure): boolean {
  return failure.kind === 'network' || failure.code === 'runner_unavailable' || failure.code === 'model_loading'
}

export function askAgainWhenBack(server: ServerState, current: ReadonlySignal<ChatSession>): void {
  let attempts = 0
  effect(() => {
    const session = current.value
    const last = session.turns.value.at(-1)
    const failure = last?.failure.value
    if (last?.status.value === 'completed' || last?.role === 'user') attempts = 0
    if (!failure || !isAskedAgain(failure) || last?.text.peek() !== '') return
    if (server.health.value.status !== 'ok' || session.busy.value || attempts >= MOST_ATTEMPTS) return
    const timer = setTimeout(
      () => {
        attempts++
        void session.retry()
      },
      1000 * (failure.retryAfter ?? WAIT_SECONDS),
    )
    return () => clearTimeout(timer)
  })
}

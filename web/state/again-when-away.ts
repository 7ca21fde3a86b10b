/** Does again what nobody could do just now, longer and longer after it failed, until somebody can. */
import { effect } from '@preact/signals'
import { RequestFailure } from '../transport/failure.ts'
import type { ServerState } from './server-state.ts'
import type { Task } from './task.ts'

const SHORTEST_SECONDS = 2
const LONGEST_SECONDS = 30

/** @param again is not called while the server cannot be reached, nor after the failure is gone */
export function againWhenAway(task: Task, server: ServerState, again: () => void): void {
  let tries = 0
  effect(() => {
    const failure = task.failure.value
    if (failure === null && !task.busy.value) tries = 0
    if (!(failure instanceof RequestFailure) || !failure.away) return
    if (server.health.value.status === 'unreachable') return
    const longer = Math.min(LONGEST_SECONDS, SHORTEST_SECONDS ** (tries + 1))
    const timer = setTimeout(
      () => {
        tries++
        again()
      },
      1000 * Math.max(failure.retryAfter ?? 0, longer),
    )
    return () => clearTimeout(timer)
  })
}

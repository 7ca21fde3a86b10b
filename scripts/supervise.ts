/** Keeps a process running: whenever it ends, it is started again, after a wait that grows while it does not hold. */
import { setTimeout as delay } from 'node:timers/promises'
import { type ChildEnd, describeEnd } from './child-process.ts'

const FIRST_WAIT_MS = 200
const LONGEST_WAIT_MS = 15_000
/** A process that ran this long was healthy: the next wait is the first one again. */
const MS_OF_HEALTH = 5_000

/** What is supervised: a `Child`, or in tests something that ends when told. */
interface Ends {
  readonly ended: Promise<ChildEnd>
}

export interface SuperviseOptions {
  /** As it is called in messages: `the runner`. */
  readonly name: string
  readonly launch: () => Ends
  /** Called when it ends; throws if that is not to be mended by another start. */
  readonly onEnd: (end: ChildEnd) => void
  readonly say: (line: string) => void
  /** Aborted when nothing is to be started again. */
  readonly signal: AbortSignal
  readonly now?: () => number
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>
}

const sleep = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal })

/** Resolves once `signal` is aborted and the process has ended. Rejects with what `onEnd` throws. */
export async function supervise(options: SuperviseOptions): Promise<void> {
  const { name, launch, onEnd, say, signal, now = () => performance.now(), wait = sleep } = options
  let waitMs = FIRST_WAIT_MS
  while (!signal.aborted) {
    const startedAt = now()
    const end = await launch().ended
    if (signal.aborted) return
    onEnd(end)
    if (now() - startedAt >= MS_OF_HEALTH) waitMs = FIRST_WAIT_MS
    say(`${name} stopped (${describeEnd(end)}); starting it again in ${waitMs / 1000} s.`)
    try {
      await wait(waitMs, signal)
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
  }
}

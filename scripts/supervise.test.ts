import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChildEnd } from './child-process.ts'
import { supervise } from './supervise.ts'

const killed: ChildEnd = { code: null, signal: 'SIGKILL', output: '', errors: '' }

/** Runs a process that ends after each of `lifetimes` (ms) in turn; returns the waits between its starts. */
async function waitsBetween(lifetimes: number[]): Promise<number[]> {
  const stop = new AbortController()
  const waits: number[] = []
  let now = 0
  await supervise({
    name: 'the runner',
    launch: () => {
      const lifetime = lifetimes.shift()
      if (lifetime === undefined) stop.abort()
      else now += lifetime
      return { ended: Promise.resolve(killed) }
    },
    onEnd: () => undefined,
    say: () => undefined,
    signal: stop.signal,
    now: () => now,
    wait: async (ms) => void waits.push(ms),
  })
  return waits
}

test('waits double up to a limit', async () => {
  assert.deepEqual(await waitsBetween([0, 0, 0, 0, 0, 0, 0, 0]), [200, 400, 800, 1600, 3200, 6400, 12_800, 15_000])
})

test('a minute of health starts the waits afresh', async () => {
  assert.deepEqual(await waitsBetween([0, 0, 4_999, 5_000, 0]), [200, 400, 800, 200, 400])
})

test('what happened is said', async () => {
  const said: string[] = []
  const stop = new AbortController()
  const supervising = supervise({
    name: 'the runner',
    launch: () => ({ ended: Promise.resolve(killed) }),
    onEnd: () => undefined,
    say: (line) => {
      said.push(line)
      stop.abort()
    },
    signal: stop.signal,
  })
  await supervising
  assert.deepEqual(said, ['the runner stopped (signal SIGKILL); starting it again in 0.2 s.'])
})

test('an end that another start cannot mend is passed on', async () => {
  const supervising = supervise({
    name: 'the runner',
    launch: () => ({ ended: Promise.resolve({ ...killed, code: 78, signal: null }) }),
    onEnd: ({ code }) => {
      throw new RangeError(`exit ${code}`)
    },
    say: () => undefined,
    signal: new AbortController().signal,
  })
  await assert.rejects(supervising, { message: 'exit 78' })
})

/** Runners that come, go, die and are started anew, on a simulated clock that jumps and a store that outlives crashes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GONE_MS, HEARTBEAT_MS, type Heartbeat } from '#protocol/runners.ts'
import { randomFrom } from '../testing/random.ts'
import { SEEDS, seeds } from '../testing/seeds.ts'
import { Registry, type RegistryStore } from './registry.ts'

const START = Date.UTC(2026, 10, 15, 12)
const DAY = 24 * 3600 * 1000
const ADDRESSES = 4
const STEPS = 150
const STATES = ['starting', 'ok', 'draining'] as const

test(`whoever beats is there, whoever does not is gone, one at an address (${SEEDS} seeds)`, () => {
  for (const seed of seeds()) play(seed)
})

function play(seed: number): void {
  const random = randomFrom(seed)
  const below = (n: number) => Math.floor(random() * n)
  const kept = new Map<string, string>()
  const store: RegistryStore = {
    load: () => [...kept.values()].map((text) => JSON.parse(text) as Heartbeat),
    put: (heartbeat) => void kept.set(heartbeat.id, JSON.stringify(heartbeat)),
    delete: (id) => void kept.delete(id),
  }
  let now = START
  let registry = new Registry(store, now)
  /** By address: who is there, and how long it is since it was heard of; not counting jumps of the clock. */
  const runners = new Map<string, { heartbeat: Heartbeat; silentMs: number }>()
  /** Since the registry was started anew, or the clock was set back: the dead may be there for so long. */
  let sinceMs = Number.POSITIVE_INFINITY
  for (let step = 0; step < STEPS; step++) {
    const what = random()
    if (what < 0.6) {
      const url = `http://runner-${below(ADDRESSES)}`
      const known = runners.get(url)
      const isNew = known === undefined || random() < 0.1
      const load = { running: below(5), waiting: below(5), slots: 4 }
      const status = STATES[below(STATES.length)] ?? 'ok'
      const id = isNew ? `runner-${step}` : known.heartbeat.id
      const heartbeat: Heartbeat = { id, url, status, device: 'cpu', models: [], loaded: [], load }
      registry.beat(heartbeat, now)
      runners.set(url, { heartbeat, silentMs: 0 })
    } else if (what < 0.68) {
      registry = new Registry(store, now)
      sinceMs = 0
    } else if (what < 0.72) {
      now += (random() < 0.5 ? -1 : 1) * random() * DAY
      // All leases may have run out, or been given anew: heartbeats tell again who is there.
      runners.clear()
      registry.list(now)
      sinceMs = 0
    } else {
      const ms = random() * 1.5 * HEARTBEAT_MS
      now += ms
      sinceMs += ms
      for (const one of runners.values()) one.silentMs += ms
    }
    const listed = registry.list(now)
    assert.equal(new Set(listed.map(({ url }) => url)).size, listed.length, `seed ${seed}: one at an address`)
    for (const { heartbeat, silentMs } of runners.values()) {
      const found = listed.find(({ id }) => id === heartbeat.id)
      if (silentMs <= GONE_MS) assert.equal(found?.status, heartbeat.status, `seed ${seed}: ${heartbeat.id} is there`)
      else if (sinceMs > GONE_MS + 1) assert.equal(found, undefined, `seed ${seed}: ${heartbeat.id} is gone`)
    }
  }
  // Nobody beats any more.
  registry.list(now)
  assert.deepEqual(registry.list(now + GONE_MS + 1), [], `seed ${seed}: nobody is left`)
  assert.equal(kept.size, 0, `seed ${seed}: nothing is kept of them`)
}

/**
 * Which runners there are: each holds its place by heartbeats, as a lease, and there is one at an address. Without a clock or a
 * database in it: the time is given, and may jump; what is kept is told to whoever keeps it.
 */
import { GONE_MS, type Heartbeat } from '#protocol/runners.ts'

interface Seen {
  readonly heartbeat: Heartbeat
  /** Milliseconds since the epoch. */
  at: number
}

export interface RegistryStore {
  load(): Iterable<Heartbeat>
  put(heartbeat: Heartbeat): void
  delete(id: string): void
}

export class Registry {
  readonly #runners: Map<string, Seen>
  readonly #store: RegistryStore

  constructor(store: RegistryStore, now: number) {
    this.#store = store
    // After a restart nobody is taken for gone before there was time for a heartbeat.
    this.#runners = new Map([...store.load()].map((heartbeat) => [heartbeat.id, { heartbeat, at: now }]))
  }

  beat(heartbeat: Heartbeat, now: number): void {
    const seen = { heartbeat, at: now }
    const known = this.#runners.get(heartbeat.id)
    this.#runners.set(heartbeat.id, seen)
    // Whoever was there before has been started anew.
    for (const [id, other] of this.#runners) {
      if (id !== heartbeat.id && other.heartbeat.url === heartbeat.url) this.#forget(id)
    }
    // What changes with each heartbeat is not worth a write; how it is, and what it has, is.
    if (known && stateOf(known) === stateOf(seen)) return
    this.#store.put(heartbeat)
  }

  list(now: number): Heartbeat[] {
    for (const [id, seen] of this.#runners) {
      // A clock that was set back must not keep the dead.
      seen.at = Math.min(seen.at, now)
      if (now - seen.at > GONE_MS) this.#forget(id)
    }
    return [...this.#runners.values()].map(({ heartbeat }) => heartbeat)
  }

  #forget(id: string): void {
    this.#runners.delete(id)
    this.#store.delete(id)
  }
}

function stateOf({ heartbeat: { load: _, ...state } }: Seen): string {
  return JSON.stringify(state)
}

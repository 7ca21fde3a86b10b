/** The Durable Object that knows which runners there are. One for the whole installation; it outlives a restart. */
import { DurableObject } from 'cloudflare:workers'
import { GONE_MS, type Heartbeat } from '#protocol/runners.ts'
import type { Bindings } from '../env.ts'
import type { FleetObject } from './fleet-object.ts'

const PREFIX = 'runner:'

interface Seen {
  readonly heartbeat: Heartbeat
  /** Milliseconds since the epoch. */
  readonly at: number
}

export class Fleet extends DurableObject<Bindings> implements FleetObject {
  readonly #runners: Map<string, Seen>

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env)
    // After a restart nobody is taken for gone before there was time for a heartbeat.
    const at = Date.now()
    this.#runners = new Map(
      [...ctx.storage.kv.list<Heartbeat>({ prefix: PREFIX })].map(([key, heartbeat]) => [
        key.slice(PREFIX.length),
        { heartbeat, at },
      ]),
    )
  }

  async beat(text: string): Promise<void> {
    const heartbeat = JSON.parse(text) as Heartbeat
    const seen = { heartbeat, at: Date.now() }
    const known = this.#runners.get(heartbeat.id)
    this.#runners.set(heartbeat.id, seen)
    // One at an address: whoever was there before has been started anew.
    for (const [id, other] of this.#runners) {
      if (id !== heartbeat.id && other.heartbeat.url === heartbeat.url) this.#forget(id)
    }
    // What changes with each heartbeat is not worth a write; how it is, and what it has, is.
    if (known && stateOf(known) === stateOf(seen)) return
    this.ctx.storage.kv.put(PREFIX + heartbeat.id, heartbeat)
  }

  async list(): Promise<string> {
    const now = Date.now()
    for (const [id, { at }] of this.#runners) if (now - at > GONE_MS) this.#forget(id)
    return JSON.stringify([...this.#runners.values()].map(({ heartbeat }) => heartbeat))
  }

  #forget(id: string): void {
    this.#runners.delete(id)
    this.ctx.storage.kv.delete(PREFIX + id)
  }
}

function stateOf({ heartbeat: { load: _, ...state } }: Seen): string {
  return JSON.stringify(state)
}

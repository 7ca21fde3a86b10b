/** The Durable Object that knows which runners there are. One for the whole installation; it outlives a restart. */
import { DurableObject } from 'cloudflare:workers'
import type { Heartbeat } from '#protocol/runners.ts'
import type { Bindings } from '../env.ts'
import type { FleetObject } from './fleet-object.ts'
import { Registry } from './registry.ts'

const PREFIX = 'runner:'

export class Fleet extends DurableObject<Bindings> implements FleetObject {
  readonly #registry: Registry

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env)
    const { kv } = ctx.storage
    this.#registry = new Registry(
      {
        load: () => [...kv.list<Heartbeat>({ prefix: PREFIX })].map(([, heartbeat]) => heartbeat),
        put: (heartbeat) => kv.put(PREFIX + heartbeat.id, heartbeat),
        delete: (id) => void kv.delete(PREFIX + id),
      },
      Date.now(),
    )
  }

  async beat(text: string): Promise<void> {
    this.#registry.beat(JSON.parse(text) as Heartbeat, Date.now())
  }

  async list(): Promise<string> {
    return JSON.stringify(this.#registry.list(Date.now()))
  }
}

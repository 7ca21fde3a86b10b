/**
 * Models in memory, by the hash of their bytes. Bounded by the bytes of their files: the one used longest ago goes first.
 * A load that failed is forgotten, so that the next request tries again.
 */
import type { ModelFile } from '#protocol/published-model.ts'
import type { Session, Tensors } from './tensor.ts'
import { Turns } from './turns.ts'

/** Bytes of model files. Their sessions take up to twice that; a Worker has 128 MB for everything. */
export const SESSIONS_CAPACITY = 24 << 20

interface Entry {
  readonly session: Session
  readonly bytes: number
}

export class SessionCache {
  readonly #capacity: number
  /** The one used longest ago first. */
  readonly #entries = new Map<string, Entry>()
  /** One load at a time: while it lasts, its bytes are there twice. */
  readonly #loading = new Turns()

  /** @param capacity bytes of model files */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /**
   * @param keep holds on to a load even if its request is cancelled: others wait for it
   * @throws what `open` and the model's run throw
   */
  async run(
    file: ModelFile,
    inputs: Tensors,
    { open, keep }: { open: () => Promise<Session>; keep: (load: Promise<unknown>) => void },
  ): Promise<Tensors> {
    for (;;) {
      const session = this.#used(file) ?? (await this.#loaded(file, open, keep))
      const outputs = await session.run(inputs)
      // Else it had to make room before its turn came.
      if (outputs !== null) return outputs
    }
  }

  #used({ sha256 }: ModelFile): Session | undefined {
    const entry = this.#entries.get(sha256)
    if (!entry) return undefined
    this.#entries.delete(sha256)
    this.#entries.set(sha256, entry)
    return entry.session
  }

  #loaded(file: ModelFile, open: () => Promise<Session>, keep: (load: Promise<unknown>) => void): Promise<Session> {
    const load = this.#loading.take(async () => {
      // Another request may have loaded it while this one waited.
      const known = this.#used(file)
      if (known) return known
      await this.#makeRoom(file.bytes)
      const session = await open()
      this.#entries.set(file.sha256, { session, bytes: file.bytes })
      return session
    })
    keep(load.catch(() => {}))
    return load
  }

  async #makeRoom(bytes: number): Promise<void> {
    let held = this.#entries.values().reduce((sum, entry) => sum + entry.bytes, 0)
    for (const [sha256, entry] of this.#entries) {
      if (held + bytes <= this.#capacity) return
      this.#entries.delete(sha256)
      held -= entry.bytes
      await entry.session.release()
    }
  }
}

/**
 * Which texts are embedded together. Texts of one batch are of about one length, so that little is filled up; and how far
 * a text is filled up depends on itself alone, so that its vector has the same bits in any company. Tenants take turns,
 * batch by batch. Pure: it knows no device and no clock.
 */

export interface EmbeddingTexts {
  readonly id: number
  readonly tenant: string
  /** Tokens of each. */
  readonly texts: readonly (readonly number[])[]
}

export interface BatchedText {
  readonly id: number
  /** Its place in the request. */
  readonly index: number
  readonly tokens: readonly number[]
}

export interface Batch {
  /** To which each text is filled up. */
  readonly length: number
  readonly texts: readonly BatchedText[]
}

/** Lengths are multiples of this: a greater one fills up more, a smaller one makes more batches. */
const STEP = 4
/** Of a batch, filled up: more are no quicker for each, and a cancelled request is computed to the end of its batch. */
const MOST_TOKENS = 1024

/** Of one request, what is not computed yet: by length, filled up. */
interface Waiting {
  readonly id: number
  readonly byLength: Map<number, BatchedText[]>
}

export class Batches {
  /** Requests by tenant, whose turn it is first; requests in the order in which they came. */
  readonly #tenants = new Map<string, Waiting[]>()

  add({ id, tenant, texts }: EmbeddingTexts): void {
    const all = texts.map((tokens, index) => ({ id, index, tokens }))
    const byLength = Map.groupBy(all, ({ tokens }) => Math.ceil(tokens.length / STEP) * STEP)
    const requests = this.#tenants.get(tenant) ?? []
    requests.push({ id, byLength })
    this.#tenants.set(tenant, requests)
  }

  /** Takes out what is left of a request. */
  cancel(id: number): void {
    for (const requests of this.#tenants.values()) {
      for (const request of requests) if (request.id === id) request.byLength.clear()
    }
    this.#forgetDone()
  }

  /** The next batch: texts of the request whose turn it is, and of others if they fit in. */
  next(): Batch | undefined {
    const [first] = this.#tenants
    if (!first) return undefined
    const [tenant, requests] = first
    const length = Math.max(...(requests[0]?.byLength.keys() ?? []))
    const most = Math.max(1, Math.floor(MOST_TOKENS / length))
    const texts: BatchedText[] = []
    for (const { byLength } of [...this.#tenants.values()].flat()) {
      const fitting = byLength.get(length)
      if (!fitting) continue
      texts.push(...fitting.splice(0, most - texts.length))
      if (fitting.length === 0) byLength.delete(length)
      if (texts.length === most) break
    }
    // Its turn comes again after all others.
    this.#tenants.delete(tenant)
    this.#tenants.set(tenant, requests)
    this.#forgetDone()
    return { length, texts }
  }

  #forgetDone(): void {
    for (const [tenant, requests] of this.#tenants) {
      const left = requests.filter(({ byLength }) => byLength.size > 0)
      if (left.length > 0) requests.splice(0, requests.length, ...left)
      else this.#tenants.delete(tenant)
    }
  }
}

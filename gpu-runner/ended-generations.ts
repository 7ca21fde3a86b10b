/** What generations used that had a bill, until the edge has heard of it: bounded, the oldest first. */
import type { Bill, EndedGeneration } from '#protocol/bill.ts'
import type { EngineEvent } from './engine/engine.ts'

/** More than that means that the edge has been away for long; the oldest are given up. */
const MOST_KEPT = 20_000

export class EndedGenerations {
  readonly #ended = new Set<EndedGeneration>()
  readonly #most: number

  constructor(most = MOST_KEPT) {
    this.#most = most
  }

  get size(): number {
    return this.#ended.size
  }

  add(ended: EndedGeneration): void {
    this.#ended.add(ended)
    if (this.#ended.size <= this.#most) return
    const [oldest] = this.#ended
    if (!oldest) return
    this.#ended.delete(oldest)
    console.error(JSON.stringify({ level: 'error', event: 'usage-lost', generation: oldest.bill.id }))
  }

  /** The oldest, so many at most. */
  first(most: number): EndedGeneration[] {
    return this.#ended.values().take(most).toArray()
  }

  /** The edge has written these down. */
  heard(ended: readonly EndedGeneration[]): void {
    for (const one of ended) this.#ended.delete(one)
  }
}

export interface Billed {
  readonly bill: Bill
  readonly owner: string
  readonly model: string
  readonly promptTokens: number
}

/** One generation's use, from what its engine says. */
export class Tally {
  readonly #billed: Billed
  readonly #startedAt: number
  #promptTokens = 0
  #completionTokens = 0

  /** @param now milliseconds since the epoch */
  constructor(billed: Billed, now: number) {
    this.#billed = billed
    this.#startedAt = now
  }

  /** What it has used, if this was its last event. */
  take(event: EngineEvent, now: number): EndedGeneration | undefined {
    switch (event.type) {
      case 'start':
        this.#promptTokens = this.#billed.promptTokens
        return undefined
      case 'text':
        this.#completionTokens += event.ids.length
        return undefined
      case 'finish':
        return { ...this.#ended('completed', now), ...event.usage }
      case 'cancelled':
        return this.#ended('cancelled', now)
      case 'error':
        return this.#ended('failed', now)
    }
  }

  #ended(outcome: EndedGeneration['outcome'], now: number): EndedGeneration {
    const { bill, owner, model } = this.#billed
    return {
      bill,
      owner,
      model,
      promptTokens: this.#promptTokens,
      completionTokens: this.#completionTokens,
      cachedTokens: 0,
      startedAt: this.#startedAt,
      endedAt: now,
      outcome,
    }
  }
}

/**
 * What has been computed before, to be taken up again: snapshots of sequences by tenant, the least recently used let go
 * when there are too many bytes. A tenant meets its own sequences alone, so that the time an answer takes tells nobody
 * what another has asked.
 */
import type { KvSnapshot } from './decoder.ts'

/** Fewer tokens in common than this are not worth the copy. */
const LEAST_TOKENS = 8

interface Entry<S> {
  readonly tenant: string
  readonly tokens: readonly number[]
  readonly snapshot: S
}

export class PrefixCache<S extends KvSnapshot> {
  readonly #mostBytes: number
  /** The least recently used first. */
  readonly #entries = new Set<Entry<S>>()
  #bytes = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The snapshot of the tenant's that has the longest beginning in common with `tokens`, `most` tokens at the most. */
  find(tenant: string, tokens: readonly number[], most: number): { snapshot: S; length: number } | undefined {
    let best: { entry: Entry<S>; length: number } | undefined
    for (const entry of this.#entries) {
      if (entry.tenant !== tenant) continue
      const length = Math.min(most, commonLength(entry.tokens, tokens))
      if (length >= LEAST_TOKENS && length > (best?.length ?? 0)) best = { entry, length }
    }
    if (!best) return undefined
    this.#entries.delete(best.entry)
    this.#entries.add(best.entry)
    return { snapshot: best.entry.snapshot, length: best.length }
  }

  /** Whether a snapshot of so many bytes may be kept at all. */
  takes(bytes: number): boolean {
    return bytes <= this.#mostBytes
  }

  /** Keeps a snapshot of `tokens`; one of a beginning of them is let go. */
  add(tenant: string, tokens: readonly number[], snapshot: S): void {
    for (const entry of this.#entries) {
      if (entry.tenant === tenant && commonLength(entry.tokens, tokens) === entry.tokens.length) this.#remove(entry)
    }
    this.#entries.add({ tenant, tokens, snapshot })
    this.#bytes += snapshot.bytes
    for (const entry of this.#entries) {
      if (this.#bytes <= this.#mostBytes) return
      this.#remove(entry)
    }
  }

  #remove(entry: Entry<S>): void {
    if (this.#entries.delete(entry)) this.#bytes -= entry.snapshot.bytes
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && a[length] === b[length]) length++
  return length
}

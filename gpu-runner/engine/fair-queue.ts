/** A queue that takes from each tenant in turn, so that one with many requests does not keep the others waiting. */
export class FairQueue<T> {
  /** Tenants in the order in which they are next served; none has an empty list. */
  readonly #waiting = new Map<string, T[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  push(tenant: string, item: T): void {
    const list = this.#waiting.get(tenant)
    if (list) list.push(item)
    else this.#waiting.set(tenant, [item])
    this.#size++
  }

  /** The oldest item of the tenant whose turn it is. */
  take(): T | undefined {
    const [next] = this.#waiting
    if (!next) return undefined
    const [tenant, list] = next
    const item = list.shift()
    this.#waiting.delete(tenant)
    if (list.length > 0) this.#waiting.set(tenant, list)
    this.#size--
    return item
  }

  /** Removes the first item that `matches`; whether there was one. */
  remove(matches: (item: T) => boolean): boolean {
    for (const [tenant, list] of this.#waiting) {
      const at = list.findIndex(matches)
      if (at < 0) continue
      list.splice(at, 1)
      if (list.length === 0) this.#waiting.delete(tenant)
      this.#size--
      return true
    }
    return false
  }
}

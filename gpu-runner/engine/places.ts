/**
 * Places for requests that wait or run. One tenant may have as many as are left beside it (the dynamic threshold of
 * Choudhury and Hahne 1998, https://doi.org/10.1109/90.664262), so that whoever comes next finds some, too.
 */
export class Places {
  readonly #most: number
  readonly #byTenant = new Map<string, number>()
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  get taken(): number {
    return this.#taken
  }

  /** Whether there was one for the tenant. */
  take(tenant: string): boolean {
    const own = this.#byTenant.get(tenant) ?? 0
    if (own >= this.#most - this.#taken) return false
    this.#byTenant.set(tenant, own + 1)
    this.#taken++
    return true
  }

  leave(tenant: string): void {
    const own = this.#byTenant.get(tenant) ?? 0
    if (own === 0) throw new RangeError(`${tenant} has no place`)
    if (own === 1) this.#byTenant.delete(tenant)
    else this.#byTenant.set(tenant, own - 1)
    this.#taken--
  }
}

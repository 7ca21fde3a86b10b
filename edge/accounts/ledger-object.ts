/** What keeps rows of the ledger until they are in D1, as its callers have it. */
export interface LedgerObject {
  /** @param entries `UsageEntry[]` as JSON; settles when they would survive a crash */
  keep(entries: string): Promise<void>
  /** Settles when all that is kept here is in D1. */
  flush(): Promise<void>
}

export interface LedgerObjects {
  getByName(name: string): LedgerObject
}

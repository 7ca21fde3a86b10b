/** What a Durable Object keeps of responses: each has a row, and its log in parts. */
import type { ResponseRecord } from './record.ts'
import type { KeptResponse, ResponseStore } from './response-run.ts'
import type { LogEntry } from './writer.ts'

/** All responses of one object. */
export class ResponseTables {
  readonly #storage: DurableObjectStorage
  #made: boolean

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    // Who only looks leaves nothing behind.
    this.#made = this.#sql("SELECT 1 FROM sqlite_master WHERE name = 'responses'").length > 0
  }

  /** One of them, there or not. */
  of(id: string): SqlResponseStore {
    return new SqlResponseStore(id, {
      make: () => this.#make(),
      sql: (statement, ...values) => (this.#made ? this.#sql(statement, ...values) : []),
      sync: () => this.#storage.sync(),
    })
  }

  /** Those that are not settled. */
  open(): readonly string[] {
    return this.#ids('SELECT id FROM responses WHERE settled = 0')
  }

  /** When the oldest was made. */
  oldest(): number | undefined {
    const [row] = this.#made ? this.#sql<{ oldest: number | null }>('SELECT min(created) AS oldest FROM responses') : []
    return row?.oldest ?? undefined
  }

  /** Settled ones that were made before then. */
  madeBefore(time: number): readonly string[] {
    return this.#ids('SELECT id FROM responses WHERE settled = 1 AND created <= ?', time)
  }

  #ids(statement: string, ...values: number[]): readonly string[] {
    return this.#made ? this.#sql<{ id: string }>(statement, ...values).map(({ id }) => id) : []
  }

  #make(): void {
    if (this.#made) return
    this.#sql(
      'CREATE TABLE responses (id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, record TEXT NOT NULL, created INTEGER NOT NULL, settled INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID',
    )
    this.#sql('CREATE INDEX responses_open ON responses (id) WHERE settled = 0')
    this.#sql('CREATE INDEX responses_created ON responses (created)')
    this.#sql(
      'CREATE TABLE parts (id TEXT NOT NULL, first INTEGER NOT NULL, entries TEXT NOT NULL, PRIMARY KEY (id, first)) WITHOUT ROWID',
    )
    this.#made = true
  }

  #sql<Row extends Record<string, SqlStorageValue>>(statement: string, ...values: (string | number)[]): Row[] {
    return this.#storage.sql.exec<Row>(statement, ...values).toArray()
  }
}

interface Tables {
  make(): void
  sql<Row extends Record<string, SqlStorageValue>>(statement: string, ...values: (string | number)[]): Row[]
  sync(): Promise<void>
}

export class SqlResponseStore implements ResponseStore {
  readonly #id: string
  readonly #tables: Tables
  /** Of the request that it is being begun by. */
  #fingerprint = ''

  constructor(id: string, tables: Tables) {
    this.#id = id
    this.#tables = tables
  }

  load(): KeptResponse | null {
    const [row] = this.#tables.sql<{ record: string; settled: number }>(
      'SELECT record, settled FROM responses WHERE id = ?',
      this.#id,
    )
    if (!row) return null
    const parts = this.#tables.sql<{ entries: string }>(
      'SELECT entries FROM parts WHERE id = ? ORDER BY first',
      this.#id,
    )
    return {
      record: JSON.parse(row.record) as ResponseRecord,
      log: parts.flatMap(({ entries }) => JSON.parse(entries) as LogEntry[]),
      settled: row.settled === 1,
    }
  }

  /** What the request was made of, so that a repeated one is known. */
  get fingerprint(): string | undefined {
    const statement = 'SELECT fingerprint FROM responses WHERE id = ?'
    return this.#tables.sql<{ fingerprint: string }>(statement, this.#id)[0]?.fingerprint
  }

  set fingerprint(fingerprint: string) {
    this.#fingerprint = fingerprint
  }

  begin(record: ResponseRecord): void {
    this.#tables.make()
    this.#tables.sql(
      'INSERT INTO responses (id, fingerprint, record, created) VALUES (?, ?, ?, ?)',
      this.#id,
      this.#fingerprint,
      JSON.stringify(record),
      record.createdAt,
    )
  }

  append(first: number, entries: readonly LogEntry[]): void {
    const statement = 'INSERT INTO parts (id, first, entries) VALUES (?, ?, ?)'
    this.#tables.sql(statement, this.#id, first, JSON.stringify(entries))
  }

  markSettled(): void {
    this.#tables.sql('UPDATE responses SET settled = 1 WHERE id = ?', this.#id)
  }

  clear(): void {
    this.#tables.sql('DELETE FROM responses WHERE id = ?', this.#id)
    this.#tables.sql('DELETE FROM parts WHERE id = ?', this.#id)
  }

  sync(): Promise<void> {
    return this.#tables.sync()
  }
}

/** The part of D1 that storage uses: the Worker's binding has it, and so has the one that Miniflare lends to Node. */
export interface Statement {
  bind(...values: unknown[]): Statement
  first<Row>(): Promise<Row | null>
  all<Row>(): Promise<{ results: Row[] }>
  run(): Promise<{ meta: { changes: number } }>
}

export interface Database {
  prepare(sql: string): Statement
  /** All or nothing, in order. */
  batch(statements: Statement[]): Promise<unknown>
}

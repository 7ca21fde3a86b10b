/** The ledger: what was generated, one row for each generation, written once. */
import type { UsagePage } from '#protocol/keys.ts'
import type { Database } from './database.ts'

export interface UsageEntry {
  /** The same generation has the same; the first to be written stays. */
  readonly id: string
  readonly owner: string
  readonly keyId: string | null
  readonly model: string
  readonly promptTokens: number
  readonly completionTokens: number
  readonly cachedTokens: number
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly endedAt: number
  readonly outcome: 'completed' | 'cancelled' | 'failed'
}

export async function writeUsage(database: Database, entries: readonly UsageEntry[]): Promise<void> {
  if (entries.length === 0) return
  await database.batch(
    entries.map((entry) =>
      database
        .prepare(
          `INSERT INTO usage (id, owner, key_id, model, prompt_tokens, completion_tokens, cached_tokens, started_at, ended_at, outcome)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
        )
        .bind(
          entry.id,
          entry.owner,
          entry.keyId,
          entry.model,
          entry.promptTokens,
          entry.completionTokens,
          entry.cachedTokens,
          entry.startedAt,
          entry.endedAt,
          entry.outcome,
        ),
    ),
  )
}

export interface UsageQuery {
  /** Null: everybody's. */
  readonly owner: string | null
  /** Unix seconds; the end is not part of it. */
  readonly from: number
  readonly to: number
  readonly width: number
  readonly byKey: boolean
  readonly byModel: boolean
}

interface Row {
  bucket: number
  api_key_id: string | null
  model: string | null
  input_tokens: number
  output_tokens: number
  input_cached_tokens: number
  num_model_requests: number
}

/** Sums by time, all buckets in order, empty ones too. */
export async function readUsage(database: Database, query: UsageQuery): Promise<UsagePage['data']> {
  const { owner, from, to, width, byKey, byModel } = query
  const { results } = await database
    .prepare(
      `SELECT CAST((started_at / 1000 - ?) / ? AS INTEGER) AS bucket,
         ${byKey ? 'key_id' : 'NULL'} AS api_key_id, ${byModel ? 'model' : 'NULL'} AS model,
         SUM(prompt_tokens) AS input_tokens, SUM(completion_tokens) AS output_tokens,
         SUM(cached_tokens) AS input_cached_tokens, COUNT(*) AS num_model_requests
       FROM usage WHERE started_at >= ? AND started_at < ? ${owner === null ? '' : 'AND owner = ?'}
       GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    )
    .bind(from, width, from * 1000, to * 1000, ...(owner === null ? [] : [owner]))
    .all<Row>()
  const rows = Map.groupBy(results, ({ bucket }) => bucket)
  return Array.from({ length: Math.ceil((to - from) / width) }, (_, i) => ({
    object: 'bucket' as const,
    start_time: from + i * width,
    end_time: Math.min(to, from + (i + 1) * width),
    results: (rows.get(i) ?? []).map(({ bucket: _bucket, ...sums }) => ({
      object: 'organization.usage.completions.result' as const,
      ...sums,
    })),
  }))
}

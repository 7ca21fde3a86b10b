/** The ledger: what was generated, one row for each generation. */
import { uuidv7 } from 'uuidv7'
import type { UsagePage } from '#protocol/keys.ts'
import type { Database } from './database.ts'

export interface UsageEntry {
  /** The same generation has the same. */
  readonly id: string
  readonly owner: string
  readonly keyId: string | null
  readonly model: string
  /** Where it was asked for. */
  readonly route: string
  readonly promptTokens: number
  readonly completionTokens: number
  readonly cachedTokens: number
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly endedAt: number
  /** `refused`: nothing came of it, whatever a runner tells; it is not counted. */
  readonly outcome: 'completed' | 'cancelled' | 'failed' | 'refused'
}

/** Of a request, in the ledger. Not `x-request-id`: that may be of the caller's choosing, and the same again. */
export const newUsageId = (): string => `use_${uuidv7().replaceAll('-', '')}`

/** The columns, and the fields that they are of. */
const FIELDS = {
  id: 'id',
  owner: 'owner',
  key_id: 'keyId',
  model: 'model',
  route: 'route',
  prompt_tokens: 'promptTokens',
  completion_tokens: 'completionTokens',
  cached_tokens: 'cachedTokens',
  started_at: 'startedAt',
  ended_at: 'endedAt',
  outcome: 'outcome',
} as const satisfies Readonly<Record<string, keyof UsageEntry>>
const COLUMNS = Object.keys(FIELDS)
const WRITE = `INSERT INTO usage (${COLUMNS.join(', ')}, written_by)
  SELECT ${Object.values(FIELDS)
    .map((field) => `value ->> '$.${field}'`)
    .join(', ')}, ? FROM json_each(?) WHERE true
  ON CONFLICT (id) DO UPDATE SET
    ${[...COLUMNS, 'written_by'].map((column) => `${column} = excluded.${column}`).join(', ')}
  WHERE usage.written_by = 'runner'
    AND (excluded.written_by = 'edge' OR excluded.completion_tokens > usage.completion_tokens)`

/**
 * Writes down what is not written yet; may be called again. What the edge that gave an answer writes stays; what runners
 * tell holds until then, of several that were asked for one answer the one that said most.
 */
export async function writeUsage(
  database: Database,
  entries: readonly UsageEntry[],
  writer: 'edge' | 'runner' = 'edge',
): Promise<void> {
  if (entries.length === 0) return
  await database.prepare(WRITE).bind(writer, JSON.stringify(entries)).run()
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
  readonly byRoute: boolean
}

interface Row {
  bucket: number
  api_key_id: string | null
  model: string | null
  route: string | null
  input_tokens: number
  output_tokens: number
  input_cached_tokens: number
  num_model_requests: number
}

/** Sums by time, all buckets in order, empty ones too. */
export async function readUsage(database: Database, query: UsageQuery): Promise<UsagePage['data']> {
  const { owner, from, to, width, byKey, byModel, byRoute } = query
  const { results } = await database
    .prepare(
      `SELECT CAST((started_at / 1000 - ?) / ? AS INTEGER) AS bucket,
         ${byKey ? 'key_id' : 'NULL'} AS api_key_id, ${byModel ? 'model' : 'NULL'} AS model,
         ${byRoute ? 'route' : 'NULL'} AS route,
         SUM(prompt_tokens) AS input_tokens, SUM(completion_tokens) AS output_tokens,
         SUM(cached_tokens) AS input_cached_tokens, COUNT(*) AS num_model_requests
       FROM usage WHERE outcome <> 'refused' AND started_at >= ? AND started_at < ? ${owner === null ? '' : 'AND owner = ?'}
       GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
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

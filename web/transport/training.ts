/** `/v1/fine_tuning/jobs`: trainings, and what they tell of themselves. */
import * as v from 'valibot'
import type { Http } from './http.ts'

const PATH = '/v1/fine_tuning/jobs'
const MOST_EVENTS = 1_000
const MOST_JOBS = 100

const STATES = ['validating_files', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'] as const
export const TRAINABLE = ['vae', 'gan', 'autoencoder', 'denoiser', 'translation'] as const
export type Trainable = (typeof TRAINABLE)[number]
export type MethodType = 'vae' | 'gan' | 'autoencoder' | 'translation'
export type Hyperparameter = string | number

const jobSchema = v.object({
  id: v.string(),
  created_at: v.number(),
  status: v.picklist(STATES),
  /** What is trained anew, or the model that is tuned. */
  model: v.string(),
  method: v.record(v.string(), v.unknown()),
  seed: v.number(),
  metadata: v.nullish(v.record(v.string(), v.string())),
  fine_tuned_model: v.nullable(v.string()),
  result_files: v.array(v.string()),
  estimated_finish: v.nullish(v.number()),
  finished_at: v.nullable(v.number()),
  error: v.nullish(v.object({ message: v.string() })),
})
export type Job = v.InferOutput<typeof jobSchema>
/** Null of a kind that this page does not know. */
export function kindOf({ model, method }: Job): Trainable | null {
  return method.type === 'translation' ? 'translation' : (TRAINABLE.find((kind) => kind === model) ?? null)
}

const jobsSchema = v.object({ data: v.array(jobSchema), has_more: v.boolean() })

const numbers = v.record(v.string(), v.number())
const metricsSchema = v.union([
  v.object({
    step: v.number(),
    total_steps: v.number(),
    epoch: v.number(),
    train: numbers,
    samples_per_second: v.number(),
    seconds_left: v.number(),
  }),
  v.object({ step: v.number(), valid: numbers }),
  v.object({ step: v.number(), samples: v.string() }),
])
export type JobMetrics = v.InferOutput<typeof metricsSchema>
export type JobProgress = Extract<JobMetrics, { train: unknown }>

const eventSchema = v.object({
  id: v.string(),
  created_at: v.number(),
  level: v.picklist(['info', 'warn', 'error']),
  message: v.string(),
  data: v.nullish(metricsSchema),
})
export type JobEvent = v.InferOutput<typeof eventSchema>
const eventsSchema = v.object({ data: v.array(eventSchema), last_id: v.nullable(v.string()), has_more: v.boolean() })

export interface JobRequest {
  readonly model: string
  readonly training_file: string
  readonly suffix?: string
  readonly metadata: Readonly<Record<string, string>>
  readonly method: { readonly type: MethodType } & Readonly<Record<string, unknown>>
}

/** All methods throw RequestFailure. */
export class TrainingApi {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  /** Newest first. */
  async list(): Promise<readonly Job[]> {
    return (await this.#http.json(jobsSchema, 'GET', `${PATH}?limit=${MOST_JOBS}`)).data
  }

  create(request: JobRequest): Promise<Job> {
    return this.#http.json(jobSchema, 'POST', PATH, { body: request })
  }

  read(id: string): Promise<Job> {
    return this.#http.json(jobSchema, 'GET', pathOf(id))
  }

  /** Those after the event `after`, oldest first; `more` if there are others already. */
  async events(id: string, after: string | null): Promise<{ events: readonly JobEvent[]; more: boolean }> {
    const since = after === null ? '' : `&after=${encodeURIComponent(after)}`
    const path = `${pathOf(id)}/events?order=asc&limit=${MOST_EVENTS}${since}`
    const { data, has_more } = await this.#http.json(eventsSchema, 'GET', path)
    return { events: data, more: has_more }
  }

  /** @returns the job as it is then */
  change(id: string, to: 'pause' | 'resume' | 'cancel'): Promise<Job> {
    return this.#http.json(jobSchema, 'POST', `${pathOf(id)}/${to}`)
  }
}

/** Where the content of a file can be read. */
export const contentPath = (fileId: string): string => `/v1/files/${encodeURIComponent(fileId)}/content`

const pathOf = (id: string): string => `${PATH}/${encodeURIComponent(id)}`

/** What the Worker is given from outside, parsed once an environment. */
import type { D1Database, Fetcher, R2Bucket } from '@cloudflare/workers-types'
import * as v from 'valibot'
import { runnerSecretSchema } from '#protocol/runner-secret.ts'
import type { AccountObjects } from './accounts/account-object.ts'
import type { DocumentObjects } from './documents/document-object.ts'
import type { JobObjects } from './jobs/job-object.ts'
import type { LedgerObjects } from './accounts/ledger-object.ts'
import type { ResponseObjects } from './responses/response-object.ts'
import type { FleetObjects } from './runners/fleet-object.ts'

export interface Bindings {
  DB: D1Database
  /** The page's built files. */
  ASSETS: Fetcher
  /** Models, data sets, checkpoints. */
  OBJECTS: R2Bucket
  /** Of a local instance: answers how many bytes its disk has left, as JSON. */
  ROOM?: Fetcher
  ACCOUNTS: AccountObjects
  DOCUMENTS: DocumentObjects
  FLEET: FleetObjects
  JOBS: JobObjects
  LEDGER: LedgerObjects
  RESPONSES: ResponseObjects
  /** A runner that need not say that it is there. */
  RUNNER_URL?: string
  RUNNER_SECRET: string
  /** `1` when the server is bound to loopback, so that its own page may sign itself in. */
  LOOPBACK?: string
  /** The longest silence of the runner, in milliseconds. */
  RUNNER_TIMEOUT_MS?: string
}

const milliseconds = v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number), v.minValue(1))
const configSchema = v.object({
  RUNNER_URL: v.optional(v.union([v.literal(''), v.pipe(v.string(), v.url())]), ''),
  RUNNER_SECRET: runnerSecretSchema,
  LOOPBACK: v.optional(v.picklist(['0', '1']), '0'),
  RUNNER_TIMEOUT_MS: v.optional(milliseconds, '120000'),
})

export interface EdgeConfig {
  runners: RunnersConfig
  loopback: boolean
}

export interface RunnersConfig {
  /** The address of one that need not register, without a slash at the end; null if there is none. */
  fixed: string | null
  secret: string
  timeoutMs: number
}

const parsed = new WeakMap<object, EdgeConfig>()

/** @throws ValiError when the deployment lacks a setting; callers see a 500. */
export function configOf(bindings: Bindings): EdgeConfig {
  const known = parsed.get(bindings)
  if (known !== undefined) return known
  const settings = v.parse(configSchema, bindings)
  const config = {
    runners: {
      fixed: settings.RUNNER_URL === '' ? null : settings.RUNNER_URL.replace(/\/+$/, ''),
      secret: settings.RUNNER_SECRET,
      timeoutMs: settings.RUNNER_TIMEOUT_MS,
    },
    loopback: settings.LOOPBACK === '1',
  }
  parsed.set(bindings, config)
  return config
}

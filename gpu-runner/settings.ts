/** The runner's settings, from its environment. */
import { isIP } from 'node:net'
import { availableParallelism, totalmem } from 'node:os'
import path from 'node:path'
import * as v from 'valibot'
import { runnerSecretSchema } from '#protocol/runner-secret.ts'
import type { EngineMemory } from './engine/engine-thread.ts'

/** More threads than this gain nothing on the small models that a CPU serves. */
const MOST_THREADS = 8
/** Shares of the machine's memory, and the most that is taken however much there is. */
const KV_SHARE = 0.4
const MOST_KV_BYTES = 16 * 2 ** 30
const PREFIX_SHARE = 0.05
/** Of all models together, their keys and values included. */
const MODELS_SHARE = 0.7
const MOST_PREFIX_BYTES = 2 ** 30

const CHECKOUT = path.dirname(import.meta.dirname)
const PORT_RULE = 'must be a whole number from 0 to 65535 (0: any free port)'
const folder = v.optional(v.pipe(v.string(), v.minLength(1, 'must not be empty'), v.transform(absolute)))

const address = v.pipe(v.string(), v.url('must be an address, such as http://10.0.0.2:8787'), v.regex(/^https?:/))

const schema = v.object({
  RUNNER_HOST: v.optional(
    v.pipe(
      v.string(),
      v.check((host) => isIP(host) !== 0, 'must be an IP address'),
    ),
    '127.0.0.1',
  ),
  RUNNER_PORT: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,5}$/, PORT_RULE), v.transform(Number), v.maxValue(65_535, PORT_RULE)),
    '4711',
  ),
  RUNNER_SECRET: runnerSecretSchema,
  EDGE_URL: v.optional(address),
  RUNNER_ADVERTISED_URL: v.optional(address),
  TANDEM_HOME: folder,
  TANDEM_MODELS: folder,
  TANDEM_DEVICE: v.optional(v.picklist(['auto', 'cuda', 'webgpu', 'cpu']), 'auto'),
})

export interface RunnerSettings {
  /** An IP address. */
  readonly host: string
  readonly port: number
  readonly secret: string
  /** The edge that it says it is there to, if any. */
  readonly edge: string | undefined
  /** Where that edge reaches it; by default on this machine. */
  readonly advertisedUrl: string | undefined
  readonly models: string
  /** Where what is being trained lies. */
  readonly jobs: string
  /** What is asked for. */
  readonly device: 'auto' | 'cuda' | 'cpu'
  readonly threads: number
  readonly memory: EngineMemory & { readonly modelBytes: number }
}

/** What the operator set cannot be had. The process ends with exit code 78 (EX_CONFIG of sysexits.h). */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

/** Throws SettingsError naming the variable and its value. */
export function readSettings(env: NodeJS.ProcessEnv): RunnerSettings {
  const parsed = v.safeParse(schema, env, { abortPipeEarly: true })
  if (!parsed.success) {
    const [issue] = parsed.issues
    throw new SettingsError(`${v.getDotPath(issue) ?? 'environment'} ${issue.message}`)
  }
  const { RUNNER_HOST, RUNNER_PORT, RUNNER_SECRET, TANDEM_HOME, TANDEM_MODELS, TANDEM_DEVICE } = parsed.output
  if (TANDEM_DEVICE === 'webgpu') {
    throw new SettingsError('TANDEM_DEVICE=webgpu: the runner has no WebGPU provider yet. Use cuda, cpu or auto.')
  }
  const home = TANDEM_HOME ?? path.join(CHECKOUT, '.tandem')
  const bytes = memoryBytes()
  return {
    host: RUNNER_HOST,
    port: RUNNER_PORT,
    secret: RUNNER_SECRET,
    edge: parsed.output.EDGE_URL,
    advertisedUrl: parsed.output.RUNNER_ADVERTISED_URL,
    models: TANDEM_MODELS ?? path.join(home, 'models'),
    jobs: path.join(home, 'jobs'),
    device: TANDEM_DEVICE,
    threads: Math.min(MOST_THREADS, availableParallelism()),
    memory: {
      kvBytes: Math.min(MOST_KV_BYTES, bytes * KV_SHARE),
      prefixCacheBytes: Math.min(MOST_PREFIX_BYTES, bytes * PREFIX_SHARE),
      modelBytes: bytes * MODELS_SHARE,
    },
  }
}

function absolute(folder: string): string {
  return path.resolve(folder)
}

/** What the machine has, or a container's limit if that is less. */
function memoryBytes(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(totalmem(), limit) : totalmem()
}

/** The runner's settings, from its environment. */
import { availableParallelism, totalmem } from 'node:os'
import * as v from 'valibot'
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

const schema = v.object({
  RUNNER_PORT: v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.transform(Number), v.maxValue(65_535)),
  RUNNER_SECRET: v.pipe(v.string(), v.minLength(32)),
  TANDEM_MODELS: v.pipe(v.string(), v.minLength(1)),
  TANDEM_DEVICE: v.optional(v.picklist(['auto', 'cuda', 'webgpu', 'cpu']), 'auto'),
})

export interface RunnerSettings {
  readonly port: number
  readonly secret: string
  readonly models: string
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
  const parsed = v.safeParse(schema, env)
  if (!parsed.success) {
    const [issue] = parsed.issues
    throw new SettingsError(`${v.getDotPath(issue) ?? 'environment'}: ${issue.message}`)
  }
  const { RUNNER_PORT, RUNNER_SECRET, TANDEM_MODELS, TANDEM_DEVICE } = parsed.output
  if (TANDEM_DEVICE === 'webgpu') {
    throw new SettingsError('TANDEM_DEVICE=webgpu: the runner has no WebGPU provider yet. Use cuda, cpu or auto.')
  }
  return {
    port: RUNNER_PORT,
    secret: RUNNER_SECRET,
    models: TANDEM_MODELS,
    device: TANDEM_DEVICE,
    threads: Math.min(MOST_THREADS, availableParallelism()),
    memory: {
      kvBytes: Math.min(MOST_KV_BYTES, totalmem() * KV_SHARE),
      prefixCacheBytes: Math.min(MOST_PREFIX_BYTES, totalmem() * PREFIX_SHARE),
      modelBytes: totalmem() * MODELS_SHARE,
    },
  }
}

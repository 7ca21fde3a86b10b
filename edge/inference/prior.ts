/** Points of a VAE's latent space, drawn for a prompt. */
import { normals } from '#models/random/normal.ts'
import { conditionOf, sizeOf } from '#models/text/condition.ts'
import { ApiError } from '#protocol/error.ts'
import type { ModelParts, PublishedModel } from '#protocol/published-model.ts'
import type { EdgeContext } from '../context.ts'
import { joined } from './pieces.ts'
import { publishedModels } from './published-models.ts'

type Vae = Extract<ModelParts, { family: 'vae' }>
type Conditions = NonNullable<Vae['prior']>['conditions']

/**
 * From p(z | prompt) if the model has a prior of its own, else from N(0, 1).
 * @param seeds one for each point
 * @returns [seeds][latents]
 * @throws ApiError 400 if the model cannot be asked for that
 */
export async function drawLatents(
  c: EdgeContext,
  model: PublishedModel,
  { latents, prior }: Vae,
  { prompt, seeds }: { readonly prompt: string; readonly seeds: readonly number[] },
): Promise<number[][]> {
  const conditions = conditionsFor(model.id, prior?.conditions, prompt, seeds)
  const noise = seeds.map((seed) => Array.from({ length: latents }, normals(seed)))
  if (!prior || !conditions) return noise
  const shape = [seeds.length, latents]
  const { mean, log_variance } = await publishedModels.run(c, model, {
    file: prior.file,
    inputs: { condition: { data: joined(conditions), shape: [seeds.length, sizeOf(prior.conditions)] } },
    wanted: { mean: shape, log_variance: shape },
  })
  return noise.map((point, i) =>
    point.map((value, k) => {
      const at = i * latents + k
      return (mean[at] ?? 0) + Math.exp((log_variance[at] ?? 0) / 2) * value
    }),
  )
}

/**
 * What a model is told for each seed; undefined if it can be told nothing.
 * @throws ApiError 400 for a prompt that it cannot be asked for
 */
export function conditionsFor(
  id: string,
  conditions: Conditions | undefined,
  prompt: string,
  seeds: readonly number[],
): Float32Array[] | undefined {
  const param = 'prompt'
  if (!conditions) {
    if (prompt.trim() === '') return undefined
    const message = `Invalid 'prompt': '${id}' draws without one; expected "".`
    throw new ApiError('invalid_value', message, { param })
  }
  return seeds.map((seed) => {
    const vector = conditionOf(conditions, prompt, seed)
    if (vector) return vector
    const names = conditions.kind === 'classes' ? conditions.names : []
    const known = names.slice(0, 20).map((name) => JSON.stringify(name))
    const more = names.length > known.length ? ` and ${names.length - known.length} others` : ''
    const message = `Invalid 'prompt': expected "" or a class of '${id}' (${known.join(', ')}${more}), got ${JSON.stringify(prompt.slice(0, 100))}.`
    throw new ApiError('invalid_value', message, { param })
  })
}

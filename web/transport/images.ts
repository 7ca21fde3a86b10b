/** `/v1/images…`: made from a prompt, and freed from noise. */
import * as v from 'valibot'
import type { Http } from './http.ts'

const imageSchema = v.object({ b64_json: v.string() })
const generatedSchema = v.object({
  model: v.string(),
  seed: v.number(),
  degraded: v.optional(v.boolean(), false),
  data: v.array(imageSchema),
})
const enhancedSchema = v.object({ data: v.tuple([imageSchema]) })

export interface ImageRequest {
  readonly model: string
  readonly prompt: string
  /** 1 to 10. */
  readonly n: number
  readonly seed?: number
}

export interface Generated {
  /** PNGs in base64. */
  readonly images: readonly string[]
  readonly model: string
  /** What gives the same pictures again. */
  readonly seed: number
  /** Made by a lesser model because no runner was there. */
  readonly degraded: boolean
  readonly servedBy: string | null
}

/** @throws RequestFailure */
export async function generateImages(http: Http, request: ImageRequest, signal: AbortSignal): Promise<Generated> {
  const body = { ...request, response_format: 'b64_json' }
  const { answer, headers } = await http.answer(generatedSchema, 'POST', '/v1/images/generations', { body, signal })
  return {
    images: answer.data.map(({ b64_json }) => b64_json),
    model: answer.model,
    seed: answer.seed,
    degraded: answer.degraded,
    servedBy: headers.get('x-served-by'),
  }
}

const latentsSchema = v.object({ data: v.array(v.object({ latents: v.array(v.number()) })) })

/**
 * Places in a model's latent space where there is something: what the model makes when it is told nothing.
 * @throws RequestFailure
 */
export async function sampleLatents(
  http: Http,
  model: string,
  n: number,
  signal: AbortSignal,
): Promise<readonly (readonly number[])[]> {
  const body = { model, prompt: '', n, response_format: 'latents' }
  const { data } = await http.json(latentsSchema, 'POST', '/v1/images/generations', { body, signal })
  return data.map(({ latents }) => latents)
}

/**
 * @param image a PNG of the model's size, in base64; so is what is returned
 * @throws RequestFailure
 */
export async function denoise(http: Http, model: string, image: string, signal: AbortSignal): Promise<string> {
  const body = { model, task: 'denoise', image }
  const { data } = await http.json(enhancedSchema, 'POST', '/v1/images/enhancements', { body, signal })
  return data[0].b64_json
}

/** `/v1/latents…`: into a model's latent space and back. */
import * as v from 'valibot'
import type { Http } from './http.ts'

/** In one request, as the API has it. */
export const MOST_LATENTS = 64

const decodedSchema = v.union([v.object({ b64_json: v.string() }), v.object({ row: v.array(v.number()) })])
/** A PNG in base64, or a row of a table. */
export type Decoded = v.InferOutput<typeof decodedSchema>
const decodeSchema = v.object({ data: v.tupleWithRest([decodedSchema], decodedSchema) })
const mapSchema = v.object({ data: v.array(v.object({ x: v.number(), y: v.number() })) })
const encodeSchema = v.object({ data: v.array(v.object({ mean: v.array(v.number()) })) })

/** PNGs in base64, or rows of numbers. */
export type Encodable = { readonly images: readonly string[] } | { readonly rows: readonly (readonly number[])[] }

export class LatentsApi {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  /**
   * As many as there are latents, one at least.
   * @throws RequestFailure
   */
  async decode(
    model: string,
    latents: readonly (readonly number[])[],
    signal?: AbortSignal,
  ): Promise<readonly [Decoded, ...Decoded[]]> {
    const body = { model, latents }
    return (await this.#http.json(decodeSchema, 'POST', '/v1/latents/decode', { body, ...(signal && { signal }) })).data
  }

  /**
   * A place on a plane for each latent, in order.
   * @throws RequestFailure
   */
  async map(
    model: string,
    latents: readonly (readonly number[])[],
    method: 'pca' | 'umap',
    signal: AbortSignal,
  ): Promise<readonly { readonly x: number; readonly y: number }[]> {
    const body = { model, latents, method }
    return (await this.#http.json(mapSchema, 'POST', '/v1/latents/map', { body, signal })).data
  }

  /**
   * The means, in order.
   * @throws RequestFailure
   */
  async encode(model: string, given: Encodable, signal?: AbortSignal): Promise<readonly (readonly number[])[]> {
    const body = { model, ...given }
    const { data } = await this.#http.json(encodeSchema, 'POST', '/v1/latents', { body, ...(signal && { signal }) })
    return data.map(({ mean }) => mean)
  }
}

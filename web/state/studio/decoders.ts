/** Where latents are decoded: at the edge, or in this browser with the same file. */
import { type Decoded, LatentsApi } from '../../transport/latents.ts'
import type { Http } from '../../transport/http.ts'
import { modelFilePath, type TrainedModel } from '../../transport/trained-models.ts'
import { base64FromPlanes } from './pictures.ts'
import type { Vector } from './vectors.ts'

export const PLACES = ['edge', 'browser'] as const
export type Place = (typeof PLACES)[number]

/** @throws RequestFailure, or an Error of the engine in the browser */
export type Decode = (model: TrainedModel, latent: Vector) => Promise<Decoded>

export function decoders(http: Http): Readonly<Record<Place, Decode>> {
  const api = new LatentsApi(http)
  return {
    edge: async ({ id }, latent) => (await api.decode(id, [latent]))[0],
    browser: decodeHere,
  }
}

/** Fetches the engine and the model when it is first asked. */
const decodeHere: Decode = async (model, latent) => {
  const { id, decoder, input } = model
  if (!decoder) throw new TypeError(`${id} has no decoder that this browser may fetch`)
  const { openModel } = await import('../../inference/open-model.ts')
  const { sha256 } = decoder
  const decoding = await openModel({ sha256, path: modelFilePath(model, sha256) })
  const shape = [1, latent.length]
  const outputs = await decoding.run({ latents: { data: Float32Array.from(latent), shape } })
  const output = outputs[input.kind]
  if (!output) throw new TypeError(`${id} decodes to no ${input.kind}`)
  return input.kind === 'rows' ? { row: [...output.data] } : { b64_json: await base64FromPlanes(output.data, input) }
}

/** What a trained VAE draws: images again, and new ones. */
import { type Checkpoint, vaeDecoder, vaeEncoder, vaePrior } from '#models/architectures/published.ts'
import type { VaeConfig } from '#models/architectures/vae.ts'
import { encodeModel } from '#models/graph/encode.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { compute } from '../compute.ts'
import type { Random } from '../random.ts'

export interface VaeDrawing {
  readonly ort: Runtime
  readonly config: VaeConfig
  readonly checkpoint: Checkpoint
}

/** latents [n, latents] → [n, channels, height, width] in [0, 1] */
function decodeAll({ ort, config, checkpoint }: VaeDrawing, latents: Float32Array): Float32Array {
  const { channels, height, width } = config
  const shape = [latents.length / config.latents, config.latents]
  const images = [latents.length / config.latents, channels, height, width]
  return compute(ort, encodeModel(vaeDecoder(config, checkpoint)), { latents: { data: latents, shape } }, { images })
    .images
}

/** Images [n, channels, height, width], coded and decoded again by their means. */
export function rebuild(drawing: VaeDrawing, planes: Float32Array): Float32Array {
  const { ort, config, checkpoint } = drawing
  const { channels, height, width } = config
  const count = planes.length / (channels * height * width)
  const images = { data: planes, shape: [count, channels, height, width] }
  const wanted = { mean: [count, config.latents] }
  return decodeAll(drawing, compute(ort, encodeModel(vaeEncoder(config, checkpoint)), { images }, wanted).mean)
}

/** New images for conditions [n, condition], or of none: from their prior, or from N(0, 1). */
export function drawNew(drawing: VaeDrawing, count: number, random: Random, condition?: Float32Array): Float32Array {
  const { ort, config, checkpoint } = drawing
  const shape = [count, config.latents]
  const latents = random.normals(new Float32Array(count * config.latents))
  if (condition) {
    const fed = { condition: { data: condition, shape: [count, config.condition ?? 0] } }
    const prior = compute(ort, encodeModel(vaePrior(config, checkpoint)), fed, { mean: shape, log_variance: shape })
    for (let i = 0; i < latents.length; i++) {
      latents[i] = (prior.mean[i] ?? 0) + Math.exp(0.5 * (prior.log_variance[i] ?? 0)) * (latents[i] ?? 0)
    }
  }
  return decodeAll(drawing, latents)
}

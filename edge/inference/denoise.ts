/** An image without its noise. */
import type { ModelParts, PublishedModel } from '#protocol/published-model.ts'
import type { EdgeContext } from '../context.ts'
import { imageToBase64 } from '../images/pixels.ts'
import { itemShape } from './inputs.ts'
import { publishedModels } from './published-models.ts'

type Denoiser = Extract<ModelParts, { family: 'denoiser' }>

/** @param image [channels, height, width]; the answer is a PNG in base64 */
export async function denoise(
  c: EdgeContext,
  model: PublishedModel,
  { denoiser, input }: Denoiser,
  image: Float32Array,
): Promise<string> {
  const shape = [1, ...itemShape(input)]
  const inputs = { noisy: { data: image, shape } }
  const { images } = await publishedModels.run(c, model, { file: denoiser, inputs, wanted: { images: shape } })
  return imageToBase64(images, input)
}

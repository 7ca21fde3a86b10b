/**
 * Trained models as graphs that anyone can run: images [n, channels, height, width] in [0, 1] or rows [n, columns], any
 * number at once, under the same names in every model of a family (protocol/published-model.ts).
 */
import { add, div, matMul, mul, scalar, sigmoid, sub } from '../graph/arithmetic.ts'
import { GraphBuilder } from '../graph/builder.ts'
import type { Graph, Value } from '../graph/graph.ts'
import type { Layers, Maps } from '../nn/layers.ts'
import { trainedWeights } from '../nn/trainable.ts'
import { normals } from '../random/normal.ts'
import { type AutoencoderConfig, decodeRows, encodeRows, errorsOf } from './autoencoder.ts'
import { type DenoiserConfig, denoise } from './denoiser.ts'
import { type GanConfig, generate } from './gan.ts'
import { decodeImages, encodeImages, type ImageAutoencoderConfig, rebuildImages } from './image-autoencoder.ts'
import { decode, encode, prior, type VaeConfig } from './vae.ts'

/** Weights by name, as checkpoints have them. */
export type Checkpoint = ReadonlyMap<string, Float32Array>

/** What rows were standardised by in training, [columns] each. */
export interface Standard {
  readonly mean: Float32Array
  readonly deviation: Float32Array
}

type Outputs = Readonly<Record<string, Value>>

function published(name: string, checkpoint: Checkpoint, body: (layers: Layers) => Outputs): Graph {
  const g = new GraphBuilder(name)
  const outputs = body({ g, weights: trainedWeights(g, checkpoint), layout: 'planes' })
  for (const [output, value] of Object.entries(outputs)) g.output(value, output)
  return g.build()
}

const imagesInput = (
  { g }: Layers,
  { channels, height, width }: Pick<Maps, 'channels' | 'height' | 'width'>,
  name = 'images',
): Maps => ({
  value: g.input(name, 'float32', ['n', channels, height, width]),
  images: 'n',
  channels,
  height,
  width,
})

/** images → mean, log_variance */
export const vaeEncoder = (config: VaeConfig, checkpoint: Checkpoint): Graph =>
  published('vae-encoder', checkpoint, (layers) => {
    const { mean, logVariance } = encode(layers, config, imagesInput(layers, config))
    return { mean, log_variance: logVariance }
  })

/** latents → images */
export const vaeDecoder = (config: VaeConfig, checkpoint: Checkpoint): Graph =>
  published('vae-decoder', checkpoint, (layers) => {
    const logits = decode(layers, config, layers.g.input('latents', 'float32', ['n', config.latents]))
    return { images: sigmoid(layers.g, logits.value) }
  })

/** condition → mean, log_variance */
export const vaePrior = (config: VaeConfig, checkpoint: Checkpoint): Graph =>
  published('vae-prior', checkpoint, (layers) => {
    const condition = layers.g.input('condition', 'float32', ['n', config.condition ?? 0])
    const { mean, logVariance } = prior(layers, config, condition)
    return { mean, log_variance: logVariance }
  })

/** noisy → images */
export const denoiser = (config: DenoiserConfig, checkpoint: Checkpoint): Graph =>
  published('denoiser', checkpoint, (layers) => {
    const { value } = denoise(layers, config, imagesInput(layers, config, 'noisy'))
    return { images: layers.g.op('Clip', [value, scalar(layers.g, 0), scalar(layers.g, 1)], {})[0] }
  })

/** images → mean */
export const imageEncoder = (config: ImageAutoencoderConfig, checkpoint: Checkpoint): Graph =>
  published('image-encoder', checkpoint, (layers) => ({
    mean: encodeImages(layers, config, imagesInput(layers, config)),
  }))

/** latents → images */
export const imageDecoder = (config: ImageAutoencoderConfig, checkpoint: Checkpoint): Graph =>
  published('image-decoder', checkpoint, (layers) => ({
    images: decodeImages(layers, config, layers.g.input('latents', 'float32', ['n', config.latents])).value,
  }))

/**
 * images → scores [n], and errors in the images' shape: the squared error of each sample, whose mean is the score
 * @param usual what each sample's squared error is by and large, [channels · height · width]: errors are told in units of
 *   it, so that an edge which is never met exactly says little, and a spot where nothing should be says much
 */
export const imageScorer = (config: ImageAutoencoderConfig, checkpoint: Checkpoint, usual?: Float32Array): Graph =>
  published('image-scorer', checkpoint, (layers) => {
    const { g } = layers
    const { channels, height, width } = config
    const images = imagesInput(layers, config)
    const difference = sub(g, rebuildImages(layers, config, images).value, images.value)
    const squared = mul(g, difference, difference)
    const unit = usual && g.weight('usual_errors', 'float32', [1, channels, height, width], () => usual)
    const errors = unit ? div(g, squared, unit) : squared
    const [scores] = g.op('ReduceMean', [errors, g.integers([1, 2, 3])], { keepdims: 0 })
    return { scores, errors }
  })

/**
 * latents, and condition if there is one → images
 * @param examples conditions [count, condition], one of which is drawn, by the latents, where the condition is zeros
 */
export const ganGenerator = (config: GanConfig, checkpoint: Checkpoint, examples?: Float32Array): Graph =>
  published('gan-generator', checkpoint, (layers) => {
    const { g } = layers
    const latents = g.input('latents', 'float32', ['n', config.latents])
    const asked = config.condition > 0 ? g.input('condition', 'float32', ['n', config.condition]) : undefined
    const condition = asked && examples ? orExample(g, asked, latents, examples) : asked
    const { value } = generate(layers, config, { latents, condition, training: false })
    return { images: add(g, mul(g, value, 0.5), 0.5) }
  })

/** Large enough that one of the shares is 1. */
const SHARPNESS = 1e4

/** The condition, or one of the examples where it is zeros. */
function orExample(g: GraphBuilder, condition: Value, latents: Value, examples: Float32Array): Value {
  const [size, width] = [Number(condition.shape[1]), Number(latents.shape[1])]
  const count = examples.length / size
  const table = g.weight('examples', 'float32', [count, size], () => examples)
  // Fixed directions: the example is the one along whose direction the latents lie farthest.
  const next = normals(1)
  const directions = g.weight('example_directions', 'float32', [width, count], () =>
    Float32Array.from({ length: width * count }, next),
  )
  const [shares] = g.op('Softmax', [mul(g, matMul(g, latents, directions), SHARPNESS)], { axis: -1 })
  const [isTold] = g.op(
    'Sign',
    [g.op('ReduceSum', [mul(g, condition, condition), g.integers([1])], { keepdims: 1 })[0]],
    {},
  )
  return add(g, condition, mul(g, matMul(g, shares, table), sub(g, 1, isTold)))
}

const rowsInput = ({ g }: Layers, { columns }: AutoencoderConfig, { mean, deviation }: Standard) => {
  const [centre, scale] = [
    g.shared('mean_of_columns', 'float32', [columns], () => mean),
    g.shared('deviation_of_columns', 'float32', [columns], () => deviation),
  ]
  const rows = g.input('rows', 'float32', ['n', columns])
  return { rows, standard: div(g, sub(g, rows, centre), scale), centre, scale }
}

/** rows → mean */
export const rowEncoder = (config: AutoencoderConfig, checkpoint: Checkpoint, standard: Standard): Graph =>
  published('row-encoder', checkpoint, (layers) => ({
    mean: encodeRows(layers, config, rowsInput(layers, config, standard).standard),
  }))

/** latents → rows */
export const rowDecoder = (config: AutoencoderConfig, checkpoint: Checkpoint, { mean, deviation }: Standard): Graph =>
  published('row-decoder', checkpoint, (layers) => {
    const { g } = layers
    const decoded = decodeRows(layers, config, g.input('latents', 'float32', ['n', config.latents]))
    const scale = g.shared('deviation_of_columns', 'float32', [config.columns], () => deviation)
    const centre = g.shared('mean_of_columns', 'float32', [config.columns], () => mean)
    return { rows: add(g, mul(g, decoded, scale), centre) }
  })

/** rows → scores [n], errors [n, columns] of the standardised rows */
export const rowScorer = (config: AutoencoderConfig, checkpoint: Checkpoint, standard: Standard): Graph =>
  published('row-scorer', checkpoint, (layers) => {
    const { g } = layers
    const input = rowsInput(layers, config, standard).standard
    const { errors, scores } = errorsOf(g, input, decodeRows(layers, config, encodeRows(layers, config, input)))
    return { scores: g.op('Reshape', [scores, g.integers([-1])], {})[0], errors }
  })

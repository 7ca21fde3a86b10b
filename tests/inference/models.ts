/** Tiny models made on the spot, put where the runner publishes them, and run by ONNX Runtime's other build to compare. */
import { createHash } from 'node:crypto'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Edge } from '#edge/testing/edge.ts'
import { randomFrom } from '#edge/testing/random.ts'
import { GraphBuilder } from '#models/graph/builder.ts'
import { ExternalData, encodeModel } from '#models/graph/encode.ts'
import type { Value } from '#models/graph/graph.ts'
import type { ModelFile, ModelParts, PublishedModel } from '#protocol/published-model.ts'

export const SIDE = 6
export const PIXELS = SIDE * SIDE
export const LATENTS = 3
export const IMAGES = { kind: 'images', channels: 1, height: SIDE, width: SIDE } as const

/** Its weights are small, so that they stand in the file itself. */
type Body = (g: GraphBuilder, weight: (name: string, shape: readonly number[], scale?: number) => Value) => void

export function model(name: string, body: Body): Uint8Array {
  const g = new GraphBuilder(name)
  const random = randomFrom(name.length)
  body(g, (weight, shape, scale = 1) =>
    g.weight(weight, 'float32', [...shape], () =>
      Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => (random() - 0.5) * scale),
    ),
  )
  const external = new ExternalData('none')
  const bytes = encodeModel(g.build(), external)
  if (external.tensors.length > 0) throw new RangeError(`${name} has weights of more than 1,024 bytes`)
  return bytes
}

/** images → mean, log_variance */
export const ENCODER = model('encoder', (g, weight) => {
  const images = g.input('images', 'float32', ['n', 1, SIDE, SIDE])
  const [flat] = g.op('Reshape', [images, g.integers([-1, PIXELS])], {})
  for (const name of ['mean', 'log_variance']) {
    const [projected] = g.op('MatMul', [flat, weight(`${name}.weight`, [PIXELS, LATENTS])], {})
    const [shifted] = g.op('Add', [projected, weight(`${name}.bias`, [LATENTS])], {})
    g.output(shifted, name)
  }
})

/** latents → images */
export const decoder = (name: string) =>
  model(name, (g, weight) => {
    const latents = g.input('latents', 'float32', ['n', LATENTS])
    const [projected] = g.op('MatMul', [latents, weight('weight', [LATENTS, PIXELS], 4)], {})
    const [bounded] = g.op('Sigmoid', [projected], {})
    const [images] = g.op('Reshape', [bounded, g.integers([-1, 1, SIDE, SIDE])], {})
    g.output(images, 'images')
  })
export const DECODER = decoder('a decoder')

const WORDS = 16
export const CONDITIONS = { kind: 'text', size: WORDS } as const

/** latents, condition → images */
export const generator = (name: string, conditions = WORDS) =>
  model(name, (g, weight) => {
    const latents = g.input('latents', 'float32', ['n', LATENTS])
    const condition = g.input('condition', 'float32', ['n', conditions])
    const [all] = g.op('Concat', [latents, condition], { axis: 1 })
    // In pieces, as each has to stand in the file itself.
    const pieces = ['a', 'b', 'c', 'd'].map((piece) => weight(piece, [LATENTS + conditions, PIXELS / 4], 4))
    const [projected] = g.op('MatMul', [all, g.op('Concat', pieces, { axis: 1 })[0]], {})
    const [bounded] = g.op('Sigmoid', [projected], {})
    const [images] = g.op('Reshape', [bounded, g.integers([-1, 1, SIDE, SIDE])], {})
    g.output(images, 'images')
  })
export const GENERATOR = generator('a generator')

/** condition → mean, log_variance */
export const PRIOR = model('a prior', (g, weight) => {
  const condition = g.input('condition', 'float32', ['n', WORDS])
  for (const name of ['mean', 'log_variance']) {
    const [projected] = g.op('MatMul', [condition, weight(`${name}.weight`, [WORDS, LATENTS], 2)], {})
    g.output(projected, name)
  }
})

export function fileOf(bytes: Uint8Array): ModelFile {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length }
}

export const VAE = {
  family: 'vae',
  input: IMAGES,
  latents: LATENTS,
  encoder: fileOf(ENCODER),
  decoder: fileOf(DECODER),
} satisfies ModelParts

export const GAN = {
  family: 'gan',
  input: IMAGES,
  latents: LATENTS,
  conditions: CONDITIONS,
  generator: fileOf(GENERATOR),
} satisfies ModelParts

export async function publish(
  edge: Edge,
  id: string,
  { parts = VAE, owner = null, files = [] }: { parts?: ModelParts; owner?: string | null; files?: Uint8Array[] } = {},
): Promise<PublishedModel> {
  for (const bytes of files) await edge.putObject(`models/${fileOf(bytes).sha256}`, bytes)
  const manifest: PublishedModel = {
    id,
    created: 1_700_000_000,
    owner,
    parts,
    card: { description: 'For a test', data: 'None', licence: 'Apache-2.0', metrics: { loss: 1 }, recipe: { seed: 1 } },
  }
  await edge.putObject(`manifests/${id}.json`, JSON.stringify(manifest))
  return manifest
}

/** What ONNX Runtime's native build computes. */
export async function native(
  bytes: Uint8Array,
  inputs: Readonly<Record<string, { data: Float32Array; shape: readonly number[] }>>,
): Promise<Record<string, Float32Array>> {
  const session = await InferenceSession.create(bytes)
  const feeds = Object.entries(inputs).map(([name, { data, shape }]) => [name, new Tensor('float32', data, [...shape])])
  const results = await session.run(Object.fromEntries(feeds))
  await session.release()
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, Float32Array.from(data as Float32Array)]),
  )
}

export const COLUMNS = ['temperature', 'pressure', 'vibration', 'load', 'current'] as const

/** rows → scores, errors: what is left of each number when all went through fewer. */
export const ROW_SCORER = model('row scorer', (g, weight) => {
  const rows = g.input('rows', 'float32', ['n', COLUMNS.length])
  const [hidden] = g.op('MatMul', [rows, weight('in', [COLUMNS.length, 2])], {})
  const [bounded] = g.op('Tanh', [hidden], {})
  const [reconstructed] = g.op('MatMul', [bounded, weight('out', [2, COLUMNS.length])], {})
  const [difference] = g.op('Sub', [rows, reconstructed], {})
  const [errors] = g.op('Mul', [difference, difference], {})
  const [scores] = g.op('ReduceSum', [errors, g.integers([1])], { keepdims: 0 })
  g.output(errors, 'errors')
  g.output(scores, 'scores')
})

/** images → scores, errors: how far each pixel is from black. */
export const IMAGE_SCORER = model('image scorer', (g) => {
  const images = g.input('images', 'float32', ['n', 1, SIDE, SIDE])
  const [errors] = g.op('Mul', [images, images], {})
  const [flat] = g.op('Reshape', [errors, g.integers([-1, PIXELS])], {})
  const [scores] = g.op('ReduceSum', [flat, g.integers([1])], { keepdims: 0 })
  g.output(errors, 'errors')
  g.output(scores, 'scores')
})

export function detector(
  input: Extract<ModelParts, { family: 'autoencoder' }>['input'],
  scorer: Uint8Array,
): ModelParts {
  return {
    family: 'autoencoder',
    input,
    latents: LATENTS,
    encoder: fileOf(ENCODER),
    decoder: fileOf(DECODER),
    scorer: fileOf(scorer),
    threshold: 10,
    quantiles: Array.from({ length: 101 }, (_, i) => i / 4),
  }
}
export const ROWS = { kind: 'rows' as const, columns: COLUMNS.map((name) => ({ name })) }

/** noisy → images */
export const DENOISER = model('denoiser', (g, weight) => {
  const images = g.input('noisy', 'float32', ['n', 1, SIDE, SIDE])
  const [scaled] = g.op('Mul', [images, weight('scale', [1, SIDE, SIDE], 8)], {})
  const [bounded] = g.op('Sigmoid', [scaled], {})
  g.output(bounded, 'images')
})

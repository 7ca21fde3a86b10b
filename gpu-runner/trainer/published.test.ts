import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { rebuildRows } from '#models/architectures/autoencoder.ts'
import { type GanConfig, generate } from '#models/architectures/gan.ts'
import { rebuildImages } from '#models/architectures/image-autoencoder.ts'
import {
  ganGenerator,
  imageDecoder,
  imageEncoder,
  imageScorer,
  rowDecoder,
  rowEncoder,
  rowScorer,
  vaeDecoder,
  vaeEncoder,
  vaePrior,
} from '#models/architectures/published.ts'
import { decode, encode, prior, type VaeConfig } from '#models/architectures/vae.ts'
import { sigmoid } from '#models/graph/arithmetic.ts'
import { GraphBuilder } from '#models/graph/builder.ts'
import { encodeModel } from '#models/graph/encode.ts'
import type { Graph } from '#models/graph/graph.ts'
import type { Layers } from '#models/nn/layers.ts'
import { type BufferSpec, elementsOf, listWeights, trainedWeights, type Weights } from '#models/nn/trainable.ts'
import { Runtime } from '../runtime/runtime.ts'
import { Random } from './random.ts'

const ort = new Runtime({ threads: 1 })
after(() => ort[Symbol.dispose]())

/** Some weights for what an architecture asks for. */
function drawn(build: (g: GraphBuilder, weights: Weights) => void): ReadonlyMap<string, Float32Array> {
  const g = new GraphBuilder('listed')
  const { weights, buffers } = listWeights(g, (asked) => build(g, asked))
  const random = new Random(3)
  return new Map(
    [...weights, ...buffers].map(({ name, shape }: BufferSpec) => {
      const data = random.normals(new Float32Array(elementsOf(shape)), 0.3)
      return [name, name.endsWith('running_var') ? data.map((x) => 0.5 + Math.abs(x)) : data]
    }),
  )
}

type Fed = Readonly<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>>

function run(graph: Graph, fed: Fed, dims: Readonly<Record<string, readonly number[]>>): Record<string, Float32Array> {
  using session = ort.session(encodeModel(graph))
  const inputs = Object.fromEntries(
    Object.entries(fed).map(([name, { dims: shape, data }]) => [
      name,
      ort.tensor('float32', shape, Float32Array.from(data)),
    ]),
  )
  const outputs = Object.fromEntries(Object.entries(dims).map(([name, shape]) => [name, ort.tensor('float32', shape)]))
  using binding = session.bind(inputs, outputs)
  binding.run()
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data as Float32Array]))
}

/** Planes [n, channels, pixels] as rows of pixels [n · pixels, channels]. */
const rowsOf = (planes: Float32Array, channels: number, pixels: number) =>
  Float32Array.from({ length: planes.length }, (_, i) => {
    const [pixel, channel] = [Math.floor(i / channels), i % channels]
    const [image, place] = [Math.floor(pixel / pixels), pixel % pixels]
    return planes[(image * channels + channel) * pixels + place] ?? Number.NaN
  })

function same(actual: Float32Array | undefined, expected: Float32Array): void {
  assert.equal(actual?.length, expected.length)
  const far = expected.findIndex(
    (x, i) => !(Math.abs(x - (actual?.[i] ?? Number.NaN)) < 1e-5 * Math.max(1, Math.abs(x))),
  )
  assert.equal(far, -1, `element ${far} is ${actual?.[far]}, not ${expected[far]}`)
}

const random = new Random(5)
const normals = (...dims: number[]) => ({ dims, data: random.normals(new Float32Array(elementsOf(dims))) })

test('a published VAE computes what the trained one does, for any number of images', () => {
  const config: VaeConfig = { channels: 3, height: 16, width: 8, latents: 5, hidden: [6, 4] }
  const size = { images: 2, channels: 3, height: 16, width: 8 }
  const layersOf = (g: GraphBuilder, weights: Weights): Layers => ({ g, weights, layout: 'rows' })
  const checkpoint = drawn((g, weights) => {
    const maps = { ...size, value: g.input('x', 'float32', [256, 3]) }
    decode(layersOf(g, weights), config, encode(layersOf(g, weights), config, maps).mean)
  })
  const g = new GraphBuilder('trained')
  const layers = layersOf(g, trainedWeights(g, checkpoint))
  const { mean, logVariance } = encode(layers, config, { ...size, value: g.input('images', 'float32', [256, 3]) })
  const pixels = sigmoid(g, decode(layers, config, g.input('latents', 'float32', [2, 5])).value)
  g.output(mean, 'mean')
  g.output(logVariance, 'log_variance')
  g.output(pixels, 'pixels')
  const [images, latents] = [normals(2, 3, 16, 8), normals(2, 5)]
  const trained = run(
    g.build(),
    { images: { dims: [256, 3], data: rowsOf(images.data, 3, 128) }, latents },
    { mean: [2, 5], log_variance: [2, 5], pixels: [256, 3] },
  )
  const encoded = run(vaeEncoder(config, checkpoint), { images }, { mean: [2, 5], log_variance: [2, 5] })
  same(encoded.mean, trained.mean as Float32Array)
  same(encoded.log_variance, trained.log_variance as Float32Array)
  const { images: decoded } = run(vaeDecoder(config, checkpoint), { latents }, { images: [2, 3, 16, 8] })
  same(rowsOf(decoded as Float32Array, 3, 128), trained.pixels as Float32Array)
  const one = run(vaeDecoder(config, checkpoint), { latents: normals(1, 5) }, { images: [1, 3, 16, 8] })
  assert.equal(one.images?.length, 384)
})

test('a published prior is N(0, 1) for no condition, and what was learned for one', () => {
  const config: VaeConfig = { channels: 1, height: 8, width: 8, latents: 3, hidden: [4], condition: 2 }
  const build = (g: GraphBuilder, weights: Weights) =>
    prior({ g, weights, layout: 'rows' }, config, g.input('condition', 'float32', [3, 2]))
  const checkpoint = drawn(build)
  const g = new GraphBuilder('trained')
  const { mean, logVariance } = build(g, trainedWeights(g, checkpoint))
  g.output(mean, 'mean')
  g.output(logVariance, 'log_variance')
  const condition = { dims: [3, 2], data: Float32Array.of(0, 0, 1, -1, 0.5, 2) }
  const outputs = { mean: [3, 3], log_variance: [3, 3] }
  const [trained, published] = [g.build(), vaePrior(config, checkpoint)].map((graph) =>
    run(graph, { condition }, outputs),
  )
  for (const name of ['mean', 'log_variance']) {
    same(published?.[name], trained?.[name] as Float32Array)
    assert.deepEqual(published?.[name]?.subarray(0, 3), new Float32Array(3))
    assert.ok(published?.[name]?.subarray(3).every((x) => x !== 0))
  }
})

test('a published generator normalises by what training kept, on rows and planes alike', () => {
  const config: GanConfig = { channels: 3, height: 16, width: 16, latents: 4, condition: 2, hidden: [6, 5] }
  const make = (g: GraphBuilder, weights: Weights) =>
    generate({ g, weights, layout: 'rows' }, config, {
      latents: g.input('latents', 'float32', [3, 4]),
      condition: g.input('condition', 'float32', [3, 2]),
      training: false,
    }).value
  const checkpoint = drawn(make)
  const g = new GraphBuilder('trained')
  g.output(make(g, trainedWeights(g, checkpoint)), 'images')
  const fed = { latents: normals(3, 4), condition: normals(3, 2) }
  const rows = run(g.build(), fed, { images: [768, 3] }).images as Float32Array
  const planes = run(ganGenerator(config, checkpoint), fed, { images: [3, 3, 16, 16] }).images as Float32Array
  same(
    rowsOf(planes, 3, 256),
    rows.map((x) => 0.5 * x + 0.5),
  )
})

test('a published generator that is told nothing draws one of its examples, by the latents', () => {
  const config: GanConfig = { channels: 1, height: 8, width: 8, latents: 4, condition: 2, hidden: [5] }
  const checkpoint = drawn((g, weights) => {
    const latents = g.input('latents', 'float32', [1, 4])
    const condition = g.input('condition', 'float32', [1, 2])
    generate({ g, weights, layout: 'rows' }, config, { latents, condition, training: false })
  })
  const examples = Float32Array.of(1, 0, 0, 1, -1, 0)
  const count = 40
  const latents = normals(count, 4)
  const draw = (condition: Float32Array, graph: Graph) =>
    run(graph, { latents, condition: { dims: [count, 2], data: condition } }, { images: [count, 1, 8, 8] }).images
  const graph = ganGenerator(config, checkpoint, examples)
  const asked = normals(count, 2).data
  same(draw(asked, graph), draw(asked, ganGenerator(config, checkpoint)) as Float32Array)
  const any = draw(new Float32Array(2 * count), graph)
  const ofEach = [0, 1, 2].map((i) => {
    const example = Float32Array.from({ length: 2 * count }, (_, k) => examples[2 * i + (k % 2)] ?? 0)
    return draw(example, graph) as Float32Array
  })
  const chosen = Array.from({ length: count }, (_, item) =>
    ofEach.findIndex((images) =>
      images.subarray(64 * item, 64 * item + 64).every((x, k) => Math.abs(x - (any?.[64 * item + k] ?? 2)) < 1e-5),
    ),
  )
  assert.deepEqual([...new Set(chosen)].sort(), [0, 1, 2])
})

for (const layers of ['convolutional', 'dense'] as const)
  test(`a published ${layers} autoencoder of images computes what the trained one does, and scores it`, () => {
    const config = { channels: 2, height: 8, width: 8, latents: 3, layers, hidden: [4] }
    const build = (g: GraphBuilder, weights: Weights) =>
      rebuildImages({ g, weights, layout: 'rows' }, config, {
        ...{ images: 2, channels: 2, height: 8, width: 8 },
        value: g.input('images', 'float32', [128, 2]),
      })
    const checkpoint = drawn(build)
    const g = new GraphBuilder('trained')
    g.output(build(g, trainedWeights(g, checkpoint)).value, 'rebuilt')
    const images = normals(2, 2, 8, 8)
    const { rebuilt } = run(
      g.build(),
      { images: { dims: [128, 2], data: rowsOf(images.data, 2, 64) } },
      { rebuilt: [128, 2] },
    )
    const { mean } = run(imageEncoder(config, checkpoint), { images }, { mean: [2, 3] })
    const latents = { dims: [2, 3], data: mean as Float32Array }
    const { images: again } = run(imageDecoder(config, checkpoint), { latents }, { images: [2, 2, 8, 8] })
    same(rowsOf(again as Float32Array, 2, 64), rebuilt as Float32Array)
    const { scores, errors } = run(imageScorer(config, checkpoint), { images }, { scores: [2], errors: [2, 2, 8, 8] })
    const squares = images.data.map((x, i) => (x - (again?.[i] ?? Number.NaN)) ** 2)
    same(errors, squares)
    same(
      scores,
      Float32Array.of(0, 1).map(
        (image) => squares.subarray(128 * image, 128 * image + 128).reduce((a, b) => a + b) / 128,
      ),
    )
  })

test('published models of rows standardise them, and score what they cannot rebuild', () => {
  const config = { columns: 3, latents: 2, hidden: [4], output: 'linear' } as const
  const standard = { mean: Float32Array.of(10, -2, 0), deviation: Float32Array.of(2, 1, 0.5) }
  const checkpoint = drawn((g, weights) => {
    const layers: Layers = { g, weights, layout: 'rows' }
    rebuildRows(layers, config, g.input('x', 'float32', [2, 3]))
  })
  const rows = { dims: [2, 3], data: Float32Array.of(12, -2, 0.5, 8, -1, 0) }
  const { mean } = run(rowEncoder(config, checkpoint, standard), { rows }, { mean: [2, 2] })
  const latents = { dims: [2, 2], data: mean as Float32Array }
  const { rows: rebuilt } = run(rowDecoder(config, checkpoint, standard), { latents }, { rows: [2, 3] })
  const scored = run(rowScorer(config, checkpoint, standard), { rows }, { scores: [2], errors: [2, 3] })
  const errors = rows.data.map((x, i) => ((x - (rebuilt?.[i] ?? 0)) / (standard.deviation[i % 3] ?? 1)) ** 2)
  same(scored.errors, errors)
  same(
    scored.scores,
    Float32Array.of(0, 1).map((row) => errors.subarray(3 * row, 3 * row + 3).reduce((a, b) => a + b) / 3),
  )
})

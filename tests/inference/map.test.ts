import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Edge, errorOf, startEdge } from '#edge/testing/edge.ts'
import { randomFrom } from '#edge/testing/random.ts'
import { assertClose } from './close.ts'
import {
  DECODER,
  DENOISER,
  detector,
  ENCODER,
  fileOf,
  IMAGES,
  native,
  PIXELS,
  publish,
  ROW_SCORER,
  ROWS,
  SIDE,
} from './models.ts'
import { pngOf } from './png.ts'

interface Map {
  method: string
  explained_variance?: [number, number]
  data: { x: number; y: number }[]
}

describe('the map of a latent space', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
    await publish(edge, 'vae', { files: [ENCODER, DECODER] })
    await publish(edge, 'sensors', { parts: detector(ROWS, ROW_SCORER), files: [ROW_SCORER] })
    await publish(edge, 'denoiser', { parts: { family: 'denoiser', input: IMAGES, denoiser: fileOf(DENOISER) } })
  })
  after(() => edge.stop())

  const ask = (body: object, key = edge.key) => edge.ask('/v1/latents/map', { body: { model: 'vae', ...body }, key })
  const map = async (body: object) => {
    const response = await ask(body)
    assert.equal(response.status, 200, await response.clone().text())
    assert.equal(response.headers.get('x-served-by'), 'edge')
    return (await response.json()) as Map
  }

  const random = randomFrom(21)
  /** Three heaps, ten times as far from each other as they are wide. */
  const CENTRES = [
    [10, 0, 0],
    [0, 10, 0],
    [0, 0, 10],
  ]
  const heaps = Array.from({ length: 90 }, (_, i) => (CENTRES[i % 3] ?? []).map((value) => value + random() - 0.5))

  test('by principal components keeps distances, and says how much of the variance it shows', async () => {
    // In a plane of three dimensions, of which PCA loses nothing.
    const flat = Array.from({ length: 50 }, () => [random(), random()] as const).map(([a, b]) => [a + b, a - b, 3 * a])
    const { data, explained_variance = [0, 0] } = await map({ latents: flat })
    assertClose([explained_variance[0] + explained_variance[1]], [1], 1e-9)
    assert.ok(explained_variance[0] >= explained_variance[1])
    for (let i = 1; i < flat.length; i++) {
      const [a = [], b = []] = [flat[i - 1], flat[i]]
      const [p, q] = [data[i - 1], data[i]]
      const distance = Math.hypot(...a.map((value, k) => value - (b[k] ?? 0)))
      assertClose([Math.hypot((p?.x ?? 0) - (q?.x ?? 0), (p?.y ?? 0) - (q?.y ?? 0))], [distance], 1e-6)
    }
  })

  test('by UMAP keeps together what is near, the same by the same seed', async () => {
    const { data, explained_variance } = await map({ latents: heaps, method: 'umap', seed: 4 })
    assert.equal(explained_variance, undefined)
    for (const [i, point] of data.entries()) {
      const nearest = data
        .map(({ x, y }, k) => ({
          k,
          distance: k === i ? Number.POSITIVE_INFINITY : Math.hypot(x - point.x, y - point.y),
        }))
        .sort((a, b) => a.distance - b.distance)
        .slice(0, 5)
      assert.ok(nearest.every(({ k }) => k % 3 === i % 3))
    }
    assert.deepEqual((await map({ latents: heaps, method: 'umap', seed: 4 })).data, data)
    assert.notDeepEqual((await map({ latents: heaps, method: 'umap', seed: 5 })).data, data)
  })

  test('of images is that of where the model puts them', async () => {
    const pictures = Array.from({ length: 100 }, () => Array.from({ length: PIXELS }, () => Math.floor(random() * 256)))
    const { mean = new Float32Array() } = await native(ENCODER, {
      images: {
        data: Float32Array.from(pictures.flat(), (value) => value / 255),
        shape: [pictures.length, 1, SIDE, SIDE],
      },
    })
    const latents = pictures.map((_, i) => [...mean.subarray(i * 3, i * 3 + 3)])
    const [own, given] = [await map({ images: pictures.map((pixels) => pngOf(pixels, SIDE)) }), await map({ latents })]
    assertClose(
      own.data.flatMap(({ x, y }) => [x, y]),
      given.data.flatMap(({ x, y }) => [x, y]),
      1e-4,
    )
  })

  test('of what is all the same is a place', async () => {
    const latents = Array.from({ length: 6 }, () => [1, 2, 3])
    for (const { x, y } of (await map({ latents })).data) assertClose([x, y], [0, 0], 1e-12)
    const { data } = await map({ latents, method: 'umap' })
    assert.ok(data.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)))
  })

  test('says what is wrong with a request', async () => {
    const three = [0, 0, 0]
    const cases: [object, RegExp][] = [
      [{ latents: [[1, 2]] }, /'latents\[0\]': expected 3 numbers, as 'vae' has latents, got 2/],
      [{ latents: Array.from({ length: 513 }, () => three) }, /'latents': expected a length of at most 512, got 513/],
      [{ latents: [] }, /at least 1/],
      [{ latents: [[1e7, 0, 0]] }, /at most 1000000/],
      [{ latents: [three, three, three], method: 'umap' }, /UMAP needs at least 4 items, got 3/],
      [{ latents: [three], method: 'tsne' }, /'method': expected "pca" or "umap"/],
      [{ latents: [three], neighbors: 1 }, /'neighbors'/],
      [{ images: ['x'] }, /images\[0\].*PNG/],
      [{ model: 'sensors', images: ['x'] }, /takes 'rows', not 'images'/],
      [{ model: 'denoiser', latents: [three] }, /has latents, got 'denoiser'/],
      [{}, /Missing required parameter/],
    ]
    for (const [body, message] of cases) {
      const error = await errorOf(await ask(body))
      assert.equal(error.status, 400, error.message)
      assert.match(error.message, message)
    }
    await publish(edge, 'mine', { owner: 'mine' })
    const theirs = await edge.newKey({ owner: 'theirs', scopes: ['latents'] })
    assert.equal((await ask({ model: 'mine', latents: [three] }, theirs.key)).status, 404)
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Ask, type Edge, errorOf, startEdge } from '#edge/testing/edge.ts'
import { randomFrom } from '#edge/testing/random.ts'
import { assertClose } from './close.ts'
import { DECODER, decoder, ENCODER, fileOf, LATENTS, model, native, PIXELS, publish, SIDE, VAE } from './models.ts'
import { pngOf, samplesOf } from './png.ts'

/** ONNX Runtime's two builds add up in other orders. */
const TOLERANCE = 1e-4
/** A PNG's samples are multiples of 1/255. */
const PNG_TOLERANCE = 0.5 / 255 + TOLERANCE

interface Decoded {
  model: string
  data: { b64_json: string; latent: number[] }[]
}
interface Encoded {
  seed: number
  data: { mean: number[]; log_variance: number[] | null; sample: number[] }[]
}

describe('a model at the edge', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
    await publish(edge, 'vae', { files: [ENCODER, DECODER] })
  })
  after(() => edge.stop())

  const decode = (body: object, ask: Ask = {}) =>
    edge.ask('/v1/latents/decode', { body: { model: 'vae', ...body }, ...ask })
  const json = async <T>(path: string, body: object) => {
    const response = await edge.ask(path, { body: { model: 'vae', ...body } })
    assert.equal(response.status, 200, await response.clone().text())
    return (await response.json()) as T
  }
  const random = randomFrom(7)
  const images = Array.from({ length: 3 }, () => Array.from({ length: PIXELS }, () => Math.floor(random() * 256)))
  const files = images.map((pixels) => pngOf(pixels, SIDE))
  const tensor = Float32Array.from(images.flat(), (value) => value / 255)

  test('decodes what the native engine decodes', async () => {
    const latents = Array.from({ length: 5 }, () => Array.from({ length: LATENTS }, () => random() * 4 - 2))
    const response = await decode({ latents })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('x-served-by'), 'edge')
    assert.match(response.headers.get('openai-processing-ms') ?? '', /^\d+$/)
    assert.ok(response.headers.get('x-ratelimit-limit-requests'))
    const { data } = (await response.json()) as Decoded
    const expected = await native(DECODER, {
      latents: { data: Float32Array.from(latents.flat()), shape: [5, LATENTS] },
    })
    assertClose(
      data.flatMap(({ b64_json }) => samplesOf(b64_json)),
      expected.images ?? [],
      PNG_TOLERANCE,
    )
  })

  test('encodes what the native engine encodes, and draws by the seed', async () => {
    const first = await json<Encoded>('/v1/latents', { images: files, seed: 11 })
    const expected = await native(ENCODER, { images: { data: tensor, shape: [3, 1, SIDE, SIDE] } })
    assertClose(
      first.data.flatMap(({ mean }) => mean),
      expected.mean ?? [],
      TOLERANCE,
    )
    assertClose(
      first.data.flatMap(({ log_variance }) => log_variance ?? []),
      expected.log_variance ?? [],
      TOLERANCE,
    )
    assert.deepEqual(await json<Encoded>('/v1/latents', { images: files, seed: 11 }), first)
    const other = await json<Encoded>('/v1/latents', { images: files })
    assert.notDeepEqual(other.data[0]?.sample, first.data[0]?.sample)
    assert.deepEqual(await json<Encoded>('/v1/latents', { images: files, seed: other.seed }), other)
  })

  test('draws samples that are spread as its variance says', async () => {
    const drawn = await Promise.all(
      Array.from({ length: 40 }, (_, seed) =>
        json<Encoded>('/v1/latents', { images: Array.from({ length: 50 }, () => files[0]), seed }),
      ),
    )
    const noise = drawn.flatMap(({ data }) =>
      data.flatMap(({ mean, log_variance, sample }) =>
        sample.map((value, i) => (value - (mean[i] ?? 0)) / Math.exp((log_variance?.[i] ?? 0) / 2)),
      ),
    )
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length
    const variance = noise.reduce((sum, value) => sum + value ** 2, 0) / noise.length
    // Five standard errors of 6,000 normal numbers.
    assert.ok(Math.abs(mean) < 5 / Math.sqrt(noise.length), `${mean}`)
    assert.ok(Math.abs(variance - 1) < 5 * Math.sqrt(2 / noise.length), `${variance}`)
  })

  test('interpolates on a line and on an arc', async () => {
    const line = await json<Decoded>('/v1/latents/interpolate', { from: [0, 0, 0], to: [1, 2, -4], steps: 5 })
    assert.deepEqual(
      line.data.map(({ latent }) => latent),
      [0, 0.25, 0.5, 0.75, 1].map((t) => [t, 2 * t, 0 - 4 * t]),
    )
    const arc = await json<Decoded>('/v1/latents/interpolate', {
      from: [2, 0, 0],
      to: [0, 2, 0],
      steps: 3,
      method: 'spherical',
    })
    assertClose(arc.data[1]?.latent ?? [], [Math.SQRT2, Math.SQRT2, 0], 1e-12)
    const decoded = (await (await decode({ latents: arc.data.map(({ latent }) => latent) })).json()) as Decoded
    assert.deepEqual(
      arc.data.map(({ b64_json }) => b64_json),
      decoded.data.map(({ b64_json }) => b64_json),
    )
  })

  test('says what is wrong with a request', async () => {
    const number = Array.from({ length: LATENTS }, () => 0)
    const cases: [string, object, number, RegExp][] = [
      ['decode', { latents: [[1, 2]] }, 400, /latents\[0\].*expected 3 numbers.*got 2/],
      ['decode', { latents: [] }, 400, /'latents'.*at least 1.*got 0/],
      ['decode', { latents: [['1', 2, 3]] }, 400, /latents\[0\]\[0\]/],
      ['decode', { latents: [[1e7, 0, 0]] }, 400, /latents\[0\]\[0\].*at most 1000000/],
      ['decode', { latents: Array.from({ length: 65 }, () => number) }, 400, /at most 64, got 65/],
      ['decode', { latents: [number], model: 'none' }, 404, /'none' does not exist/],
      ['decode', { latents: [number], model: '../models/x' }, 404, /does not exist/],
      ['decode', { latents: [number], more: 1 }, 400, /Unknown parameter: 'more'/],
      ['interpolate', { from: [1, 2], to: [1, 2, 3], steps: 3 }, 400, /'to': expected 2 numbers/],
      ['interpolate', { from: [1, 2], to: [1, 2], steps: 3 }, 400, /'from': expected 3 numbers/],
      ['interpolate', { from: number, to: number, steps: 1 }, 400, /'steps'.*at least 2/],
      ['', { images: ['x'] }, 400, /images\[0\].*PNG/],
      [
        '',
        {
          images: [
            pngOf(
              Array.from({ length: 4 }, () => 0),
              2,
            ),
          ],
        },
        400,
        /6 × 6 pixels, got 2 × 2/,
      ],
      ['', { rows: [[1, 2]] }, 400, /takes 'images', not 'rows'/],
    ]
    for (const [path, body, status, message] of cases) {
      const error = await errorOf(
        await edge.ask(`/v1/latents${path && `/${path}`}`, { body: { model: 'vae', ...body } }),
      )
      assert.equal(error.status, status, error.message)
      assert.match(error.message, message)
    }
    const text = '{"model":"vae","latents":[[1e999,0,0]]}'
    const infinite = await errorOf(await edge.ask('/v1/latents/decode', { body: text }))
    assert.equal(infinite.status, 400, infinite.message)
  })

  test('is its owner’s alone', async () => {
    await publish(edge, 'mine', { owner: 'mine', files: [ENCODER, DECODER] })
    const mine = await edge.newKey({ owner: 'mine', scopes: ['latents'] })
    const theirs = await edge.newKey({ owner: 'theirs', scopes: ['latents'] })
    const body = { model: 'mine', latents: [[0, 0, 0]] }
    for (let i = 0; i < 2; i++) {
      assert.equal((await decode(body, { key: mine.key })).status, 200)
      const refused = await errorOf(await decode(body, { key: theirs.key }))
      assert.deepEqual([refused.status, refused.code], [404, 'model_not_found'])
    }
  })

  test('is limited, and written in the ledger', async () => {
    const { id, key } = await edge.newKey({ scopes: ['latents'], limits: { requests_per_minute: 2 } })
    for (const status of [200, 200, 429]) {
      const response = await decode({ latents: [[0, 0, 0]] }, { key })
      assert.equal(response.status, status)
      if (status === 429) assert.ok(Number(response.headers.get('retry-after')) > 0)
      await response.arrayBuffer()
    }
    const count = async () =>
      (
        await edge.database
          .prepare("SELECT COUNT(*) AS n FROM usage WHERE key_id = ? AND model = 'vae' AND outcome = 'completed'")
          .bind(id)
          .first<{ n: number }>()
      )?.n
    while ((await count()) !== 2) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  test('that is missing, altered or no model is said to be, logged, and found once it is whole', async () => {
    const altered = decoder('altered')
    const broken = model('another decoder', (g, weight) => {
      const [sum] = g.op('Add', [g.input('latents', 'float32', ['n', LATENTS]), weight('b', [LATENTS])], {})
      g.output(sum, 'images')
    })
    const text = new TextEncoder().encode('no model')
    const cases: [string, Uint8Array, Uint8Array | null, RegExp][] = [
      ['missing', decoder('missing'), null, /is not in the object store/],
      ['altered', altered, DECODER, /holds other bytes/],
      ['no-model', text, text, /cannot be read as a model/],
      ['other-shape', broken, broken, /should give 'images' of shape \[1,1,6,6\], got \[1,3\]/],
    ]
    for (const [id, named, stored, reason] of cases) {
      await publish(edge, id, { parts: { ...VAE, decoder: fileOf(named) } })
      if (stored) await edge.putObject(`models/${fileOf(named).sha256}`, stored)
      const error = await errorOf(await decode({ model: id, latents: [[0, 0, 0]] }))
      assert.deepEqual([error.status, error.code], [503, 'model_unavailable'], id)
      assert.match(edge.logs.findLast((line) => line.includes(`"model":"${id}"`)) ?? '', reason)
      assert.equal((await decode({ latents: [[0, 0, 0]] })).status, 200)
    }
    await edge.putObject(`models/${fileOf(altered).sha256}`, altered)
    assert.equal((await decode({ model: 'altered', latents: [[0, 0, 0]] })).status, 200)
    await edge.putObject('manifests/garbled.json', '{')
    const garbled = await errorOf(await decode({ model: 'garbled', latents: [[0, 0, 0]] }))
    assert.deepEqual([garbled.status, garbled.code], [503, 'model_unavailable'])
    await publish(edge, 'garbled')
    assert.equal((await decode({ model: 'garbled', latents: [[0, 0, 0]] })).status, 200)
  })

  test('answers many at once as it answers one', async () => {
    const latents = Array.from({ length: 24 }, (_, i) => [[i / 10, -i / 20, 1]])
    const alone = []
    for (const one of latents) alone.push(await (await decode({ latents: one })).text())
    const together = await Promise.all(latents.map(async (one) => (await decode({ latents: one })).text()))
    const images = (texts: string[]) => texts.map((text) => (JSON.parse(text) as Decoded).data)
    assert.deepEqual(images(together), images(alone))
  })

  test('that was loaded by many at once is loaded once', async () => {
    const fresh = await startEdge()
    try {
      await publish(fresh, 'vae', { files: [ENCODER, DECODER] })
      const ask = (path: string, body: object) => fresh.ask(path, { body: { model: 'vae', ...body } })
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          i % 2 ? ask('/v1/latents/decode', { latents: [[0, 0, 0]] }) : ask('/v1/latents', { images: files }),
        ),
      )
      assert.deepEqual(
        answers.map(({ status }) => status),
        answers.map(() => 200),
      )
    } finally {
      await fresh.stop()
    }
  })
})

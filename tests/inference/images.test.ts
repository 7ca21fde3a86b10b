import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI, { toFile } from 'openai'
import { type Edge, errorOf, startEdge } from '#edge/testing/edge.ts'
import { randomFrom } from '#edge/testing/random.ts'
import { assertClose } from './close.ts'
import { DECODER, DENOISER, ENCODER, fileOf, IMAGES, LATENTS, native, PIXELS, publish, SIDE } from './models.ts'
import { pngOf, samplesOf } from './png.ts'

const PNG_TOLERANCE = 0.5 / 255 + 1e-4

interface Images {
  model: string
  seed: number
  data: { b64_json: string }[]
}

describe('images at the edge', () => {
  let edge: Edge
  let openai: OpenAI
  before(async () => {
    edge = await startEdge()
    openai = new OpenAI({ apiKey: edge.key, baseURL: `${edge.url}/v1`, maxRetries: 0 })
    await publish(edge, 'vae', { files: [ENCODER, DECODER] })
    await publish(edge, 'denoiser', {
      parts: { family: 'denoiser', input: IMAGES, denoiser: fileOf(DENOISER) },
      files: [DENOISER],
    })
  })
  after(() => edge.stop())

  const random = randomFrom(5)
  const pixels = Array.from({ length: PIXELS }, () => Math.floor(random() * 256))
  const png = pngOf(pixels, SIDE)
  const tensor = { data: Float32Array.from(pixels, (value) => value / 255), shape: [1, 1, SIDE, SIDE] }
  const vary = async (fields: Record<string, string | Uint8Array>, headers: Record<string, string> = {}) => {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) {
      form.append(name, typeof value === 'string' ? value : new Blob([new Uint8Array(value)]))
    }
    return fetch(`${edge.url}/v1/images/variations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${edge.key}`, ...headers },
      body: form,
    })
  }
  const image = Buffer.from(png, 'base64')

  test('are varied for the openai client', async () => {
    const { data = [] } = await openai.images.createVariation({
      image: await toFile(image, 'image.png', { type: 'image/png' }),
      model: 'vae',
      n: 3,
      response_format: 'b64_json',
    })
    assert.equal(data.length, 3)
    const all = data.map(({ b64_json }) => samplesOf(b64_json ?? ''))
    assert.ok(all.every((samples) => samples.length === PIXELS))
    assert.notDeepEqual(all[0], all[1])
  })

  test('without strength are what the model makes of the image, and the seed gives the same again', async () => {
    const answer = (await (await vary({ image, model: 'vae', strength: '0' })).json()) as Images
    const { mean = new Float32Array() } = await native(ENCODER, { images: tensor })
    const { images = [] } = await native(DECODER, { latents: { data: mean, shape: [1, LATENTS] } })
    assertClose(samplesOf(answer.data[0]?.b64_json ?? ''), images, PNG_TOLERANCE)
    const first = (await (await vary({ image, model: 'vae', n: '2' })).json()) as Images
    const again = (await (await vary({ image, model: 'vae', n: '2', seed: String(first.seed) })).json()) as Images
    assert.deepEqual(again.data, first.data)
  })

  test('have addresses if asked', async () => {
    const fields = { image, model: 'vae', seed: '3' }
    const inline = (await (await vary(fields)).json()) as Images
    const { data } = (await (await vary({ ...fields, response_format: 'url' })).json()) as { data: { url: string }[] }
    const response = await fetch(data[0]?.url ?? '')
    assert.equal(Buffer.from(await response.arrayBuffer()).toString('base64'), inline.data[0]?.b64_json)
  })

  test('are varied once for an idempotency key', async () => {
    const key = { 'idempotency-key': 'vary-once' }
    const first = await (await vary({ image, model: 'vae' }, key)).text()
    const again = await vary({ image, model: 'vae' }, key)
    assert.equal(await again.text(), first)
    assert.equal(again.headers.get('x-served-by'), 'edge')
    const other = Buffer.from(
      pngOf(
        pixels.map((value) => 255 - value),
        SIDE,
      ),
      'base64',
    )
    assert.equal((await vary({ image: other, model: 'vae' }, key)).status, 409)
  })

  test('lose their noise', async () => {
    const response = await edge.ask('/v1/images/enhancements', {
      body: { model: 'denoiser', task: 'denoise', image: `data:image/png;base64,${png}` },
    })
    assert.equal(response.status, 200, await response.clone().text())
    assert.equal(response.headers.get('x-served-by'), 'edge')
    const { data } = (await response.json()) as Images
    const { images = [] } = await native(DENOISER, { noisy: tensor })
    assertClose(samplesOf(data[0]?.b64_json ?? ''), images, PNG_TOLERANCE)
  })

  test('say what is wrong with a request', async () => {
    const forms: [Record<string, string | Uint8Array>, number, RegExp][] = [
      [{ model: 'vae' }, 400, /Missing required parameter: 'image'/],
      [{ image: 'text', model: 'vae' }, 400, /'image'/],
      [{ image: Buffer.from('GIF89a'), model: 'vae' }, 400, /expected a PNG/],
      [{ image: Buffer.from(pngOf(pixels.slice(0, 9), 3), 'base64'), model: 'vae' }, 400, /6 × 6 pixels, got 3 × 3/],
      [{ image, model: 'vae', n: '11' }, 400, /'n'.*10/],
      [{ image, model: 'vae', n: 'x' }, 400, /'n'/],
      [{ image, model: 'vae', strength: '2' }, 400, /'strength'/],
      [{ image, model: 'vae', size: '256x256' }, 400, /expected '6x6'/],
      [{ image, model: 'vae', response_format: 'file' }, 400, /'response_format'/],
      [{ image, model: 'vae', other: 'x' }, 400, /Unknown parameter: 'other'/],
      [{ image, model: 'denoiser' }, 400, /varies images, got 'denoiser'/],
      [{ image, model: 'none' }, 404, /does not exist/],
      [{ image: new Uint8Array(5 << 20), model: 'vae' }, 413, /at most 4194304 bytes, got \d+/],
    ]
    for (const [fields, status, message] of forms) {
      const error = await errorOf(await vary(fields))
      assert.equal(error.status, status, error.message)
      assert.match(error.message, message)
    }
    const json = await edge.ask('/v1/images/variations', { body: { image: png, model: 'vae' } })
    assert.equal((await errorOf(json)).status, 415)
    const upscale = await edge.ask('/v1/images/enhancements', { body: { model: 'x', task: 'upscale', image: png } })
    assert.match((await errorOf(upscale)).message, /Unsupported: 'task' = "upscale"/)
  })
})

describe('a model that ships with Tandem', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
  })
  after(() => edge.stop())

  test('is listed with its card, runner or no runner, and runs', async () => {
    const listed = async () => {
      const response = await edge.ask('/v1/models')
      assert.equal(response.status, 200)
      return (await response.json()) as { degraded?: true; data: { id: string; task: string; card?: object }[] }
    }
    const whole = await listed()
    assert.equal(whole.degraded, undefined)
    assert.ok(whole.data.some(({ task }) => task === 'chat'))
    const rows = [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
    const response = await edge.ask('/v1/anomalies', { body: { model: 'sensor-anomalies', rows } })
    assert.equal(response.status, 200, await response.clone().text())
    const [scored] = ((await response.json()) as { data: { is_anomaly: boolean }[] }).data
    assert.equal(scored?.is_anomaly, false)
    await edge.runner.stop()
    const degraded = await listed()
    assert.equal(degraded.degraded, true)
    assert.deepEqual(
      degraded.data,
      whole.data.filter(({ task }) => task !== 'chat'),
    )
    assert.ok(degraded.data.some(({ id, card }) => id === 'sensor-anomalies' && card))
  })
})

import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import OpenAI from 'openai'
import sharp from 'sharp'
import { type Edge, errorOf, startEdge } from '#edge/testing/edge.ts'
import { RUNNER_SECRET } from '#edge/testing/stub-runner.ts'
import { normals } from '#models/random/normal.ts'
import { hashedWords } from '#models/text/hashed-words.ts'
import { assertClose } from './close.ts'
import {
  CONDITIONS,
  DECODER,
  ENCODER,
  fileOf,
  GAN,
  GENERATOR,
  generator,
  LATENTS,
  native,
  PRIOR,
  publish,
  SIDE,
  VAE,
} from './models.ts'
import { type DrawingRunner, startDrawingRunner } from './runner.ts'

const PNG_TOLERANCE = 0.5 / 255 + 1e-4
const PROMPT = 'a red apple'

interface Answer {
  model: string
  seed: number
  degraded?: true
  data: { b64_json: string; url: string; latents: number[]; model: string }[]
}

/** Pixels in [0, 1], row by row. */
async function pixelsOf(file: Buffer): Promise<{ width: number; height: number; samples: number[] }> {
  const { data, info } = await sharp(file).extractChannel(0).raw().toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, samples: [...data].map((sample) => sample / 255) }
}

const noiseOf = (seed: number) => Float32Array.from({ length: LATENTS }, normals(seed))

/** What the native engine makes of the tiny generator. */
async function expected(seed: number, prompt = PROMPT): Promise<Float32Array> {
  const { images = new Float32Array() } = await native(GENERATOR, {
    latents: { data: noiseOf(seed), shape: [1, LATENTS] },
    condition: { data: hashedWords(prompt, CONDITIONS.size), shape: [1, CONDITIONS.size] },
  })
  return images
}

describe('pictures', () => {
  let runner: DrawingRunner
  let edge: Edge
  let openai: OpenAI
  before(async () => {
    runner = await startDrawingRunner()
    edge = await startEdge({ runnerUrl: runner.url, runnerTimeoutMs: 60_000 })
    runner.use(edge.url)
    openai = new OpenAI({ apiKey: edge.key, baseURL: `${edge.url}/v1`, maxRetries: 0 })
    await publish(edge, 'gan', { parts: GAN, files: [GENERATOR] })
    await publish(edge, 'vae', { files: [ENCODER, DECODER] })
    await publish(edge, 'told-vae', {
      parts: { ...VAE, prior: { file: fileOf(PRIOR), conditions: CONDITIONS } },
      files: [PRIOR],
    })
  })
  after(async () => {
    await edge.stop()
    await runner[Symbol.asyncDispose]()
  })

  const ask = (body: object, key = edge.key, headers = {}) =>
    edge.ask('/v1/images/generations', { body: { model: 'gan', prompt: PROMPT, ...body }, key, headers })
  const draw = async (body: object) => {
    const response = await ask(body)
    assert.equal(response.status, 200, await response.clone().text())
    return { answer: (await response.json()) as Answer, by: response.headers.get('x-served-by') }
  }
  const files = ({ data }: Answer) => data.map(({ b64_json }) => Buffer.from(b64_json, 'base64'))

  test('are drawn on a runner for the openai client, as the native engine draws them', async () => {
    const { data = [] } = await openai.images.generate({
      model: 'gan',
      prompt: PROMPT,
      n: 3,
      // The client passes on what it does not know.
      ...{ seed: 41 },
    })
    assert.equal(data.length, 3)
    for (const [i, { b64_json = '' }] of data.entries()) {
      const { width, height, samples } = await pixelsOf(Buffer.from(b64_json, 'base64'))
      assert.deepEqual([width, height], [SIDE, SIDE])
      assertClose(samples, await expected(41 + i), PNG_TOLERANCE)
    }
  })

  test('are the same by the same seed, whatever else is drawn', async () => {
    const { answer: first, by } = await draw({ n: 4 })
    assert.equal(by, 'runner')
    const others = Array.from({ length: 12 }, (_, i) => draw({ prompt: `other ${i}`, n: 1 + (i % 5) }))
    const again = await Promise.all(first.data.map((_, i) => draw({ seed: (first.seed + i) % 2 ** 32 })))
    await Promise.all(others)
    assert.deepEqual(
      again.flatMap(({ answer }) => answer.data),
      first.data,
    )
    const { answer: other } = await draw({ seed: first.seed, prompt: 'a blue pear' })
    assert.notDeepEqual(other.data[0], first.data[0])
    assert.notDeepEqual((await draw({})).answer.seed, first.seed)
  })

  test('are WebPs of the same pixels, and whole multiples of the size', async () => {
    const [png] = files((await draw({ seed: 5 })).answer)
    const [webp] = files((await draw({ seed: 5, output_format: 'webp' })).answer)
    const [large] = files((await draw({ seed: 5, size: `${SIDE * 4}x${SIDE * 4}` })).answer)
    assert.ok(png && webp && large)
    assert.equal((await sharp(webp).metadata()).format, 'webp')
    const { samples } = await pixelsOf(png)
    assert.deepEqual((await pixelsOf(webp)).samples, samples)
    const enlarged = await pixelsOf(large)
    assert.deepEqual([enlarged.width, enlarged.height], [SIDE * 4, SIDE * 4])
    for (const [at, sample] of enlarged.samples.entries()) {
      const [x, y] = [Math.floor((at % (SIDE * 4)) / 4), Math.floor(at / (SIDE * 4) / 4)]
      assert.equal(sample, samples[y * SIDE + x])
    }
  })

  test('have addresses that need no key, and hold nothing that runs', async () => {
    const { answer } = await draw({ seed: 6, response_format: 'url', n: 2 })
    const [inline] = files((await draw({ seed: 6 })).answer)
    const [url = ''] = answer.data.map((image) => image.url)
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/v1\/images\/files\/\d{10}-[\w-]{43}\.png$/)
    const response = await fetch(url)
    assert.equal(response.status, 200)
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), inline)
    const { headers } = response
    assert.equal(headers.get('content-type'), 'image/png')
    assert.equal(headers.get('content-security-policy'), "sandbox; default-src 'none'")
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.match(headers.get('cache-control') ?? '', /^private, max-age=3[56]\d\d, immutable$/)
    for (const other of [url.replace(/-./, '-_'), url.replace('.png', '.webp'), url.replace('files/1', 'files/2')]) {
      assert.equal((await fetch(other)).status, 404, other)
    }
  })

  test('are gone when their hour has ended, whether anyone asks or not', async () => {
    const name = (seconds: number, id: string) => `${Math.floor(Date.now() / 1000) + seconds}-${id.repeat(43)}.png`
    const [asked, swept, held] = [name(-1, 'a'), name(-3000, 'b'), name(60, 'c')]
    for (const one of [asked, swept, held]) await edge.putObject(`images/${one}`, 'a picture')
    assert.equal((await fetch(`${edge.url}/v1/images/files/${asked}`)).status, 404)
    await draw({ response_format: 'url' })
    const left = async () => (await edge.listObjects('images/')).filter((key) => /([abc])\1{42}/.test(key))
    while ((await left()).length > 1) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.deepEqual(await left(), [`images/${held}`])
    assert.equal((await fetch(`${edge.url}/v1/images/files/${held}`)).status, 200)
  })

  test('of a VAE are drawn at the edge, from its prior for the prompt', async () => {
    const { answer, by } = await draw({ model: 'told-vae', seed: 9, size: `${SIDE * 2}x${SIDE * 2}` })
    assert.deepEqual([by, answer.degraded], ['edge', undefined])
    const condition = { data: hashedWords(PROMPT, CONDITIONS.size), shape: [1, CONDITIONS.size] }
    const { mean = [], log_variance = [] } = await native(PRIOR, { condition })
    const point = noiseOf(9).map((value, i) => (mean[i] ?? 0) + Math.exp((log_variance[i] ?? 0) / 2) * value)
    const { images = new Float32Array() } = await native(DECODER, { latents: { data: point, shape: [1, LATENTS] } })
    const [file] = files(answer)
    const { width, samples } = await pixelsOf(file ?? Buffer.alloc(0))
    assert.equal(width, SIDE * 2)
    assertClose(
      samples.filter((_, at) => at % 2 === 0 && Math.floor(at / width) % 2 === 0),
      images,
      PNG_TOLERANCE,
    )
    const { answer: latents } = await draw({ model: 'told-vae', seed: 9, response_format: 'latents' })
    assertClose(latents.data[0]?.latents ?? [], point, 1e-4)
    assert.equal(latents.data[0]?.model, 'told-vae')
    const { answer: plain } = await draw({ model: 'vae', prompt: '', seed: 9, response_format: 'latents' })
    assertClose(plain.data[0]?.latents ?? [], noiseOf(9), 1e-6)
  })

  test('are asked of the runner once for an idempotency key', async () => {
    const headers = { 'idempotency-key': 'once' }
    const first = await ask({}, edge.key, headers)
    const text = await first.text()
    const again = await ask({}, edge.key, headers)
    assert.equal(await again.text(), text)
    assert.equal(again.headers.get('x-served-by'), 'runner')
    assert.equal((await ask({ n: 2 }, edge.key, headers)).status, 409)
  })

  test('of several classes are drawn by name', async () => {
    const conditions = { kind: 'classes' as const, names: ['T-shirt', 'Dress', 'Bag'] }
    const file = generator('a generator of clothes', 3)
    await publish(edge, 'clothes', { parts: { ...GAN, conditions, generator: fileOf(file) }, files: [file] })
    const { answer } = await draw({ model: 'clothes', prompt: 'dress', seed: 3 })
    const { images = new Float32Array() } = await native(file, {
      latents: { data: noiseOf(3), shape: [1, LATENTS] },
      condition: { data: Float32Array.of(0, 1, 0), shape: [1, 3] },
    })
    const [png] = files(answer)
    assertClose((await pixelsOf(png ?? Buffer.alloc(0))).samples, images, PNG_TOLERANCE)
    const error = await errorOf(await ask({ model: 'clothes', prompt: 'shoe' }))
    assert.deepEqual([error.status, error.param], [400, 'prompt'])
    assert.match(error.message, /a class of 'clothes' \("T-shirt", "Dress", "Bag"\), got "shoe"/)
  })

  test('are their owners’ alone', async () => {
    await publish(edge, 'mine', { parts: GAN, owner: 'mine' })
    const mine = await edge.newKey({ owner: 'mine', scopes: ['images'] })
    const theirs = await edge.newKey({ owner: 'theirs', scopes: ['images'] })
    assert.equal((await ask({ model: 'mine' }, mine.key)).status, 200)
    const refused = await errorOf(await ask({ model: 'mine' }, theirs.key))
    assert.deepEqual([refused.status, refused.code], [404, 'model_not_found'])
  })

  test('are written in the ledger, and count against a limit', async () => {
    const { id, key } = await edge.newKey({ scopes: ['images'], limits: { requests_per_minute: 2 } })
    for (const status of [200, 200, 429]) assert.equal((await ask({}, key)).status, status)
    const count = async () =>
      (
        await edge.database
          .prepare("SELECT COUNT(*) AS n FROM usage WHERE key_id = ? AND model = 'gan' AND outcome = 'completed'")
          .bind(id)
          .first<{ n: number }>()
      )?.n
    while ((await count()) !== 2) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  test('come from files that the runner fetched, once each, and nobody else may fetch', async () => {
    const { sha256 } = fileOf(GENERATOR)
    assert.ok((await readdir(runner.folder)).includes(`${sha256}.onnx`))
    const path = `/internal/models/${sha256}`
    for (const key of [edge.key, null, 'wrong']) assert.equal((await edge.ask(path, { key })).status, 401)
    const fetched = await edge.ask(path, { key: RUNNER_SECRET })
    assert.deepEqual(new Uint8Array(await fetched.arrayBuffer()), GENERATOR)
    assert.equal((await edge.ask(path.replaceAll(/\w{64}/g, '0'.repeat(64)), { key: RUNNER_SECRET })).status, 404)
  })

  test('of a generator that is missing, altered or another are said not to be there', async () => {
    const altered = generator('altered')
    const cases: [string, Uint8Array, Uint8Array | null][] = [
      ['missing', generator('missing'), null],
      ['altered', altered, new Uint8Array(altered).fill(0, 40, 60)],
      ['no-generator', DECODER, DECODER],
    ]
    for (const [id, named, stored] of cases) {
      await publish(edge, id, { parts: { ...GAN, generator: fileOf(named) } })
      if (stored) await edge.putObject(`models/${fileOf(named).sha256}`, stored)
      const error = await errorOf(await ask({ model: id }))
      assert.deepEqual([error.status, error.code], [503, 'model_unavailable'], id)
      assert.equal((await ask({})).status, 200)
    }
    await edge.putObject(`models/${fileOf(altered).sha256}`, altered)
    assert.equal((await ask({ model: 'altered' })).status, 200)
  })

  test('say what is wrong with a request', async () => {
    const cases: [object, RegExp, (string | null)?][] = [
      [{ n: 11 }, /'n': expected a number of at most 10, got 11/, 'n'],
      [{ n: 0 }, /'n'/, 'n'],
      [{ n: 1.5 }, /'n': expected a whole number/, 'n'],
      [{ prompt: undefined }, /Missing required parameter: 'prompt'/, 'prompt'],
      [{ prompt: 'a'.repeat(4001) }, /'prompt': expected a length of at most 4000, got 4001/, 'prompt'],
      [{ prompt: '\ud800' }, /lone surrogate/, 'prompt'],
      [{ size: '7x7' }, /'size': expected '6x6', as 'gan' has it, or a whole multiple of it up to 512/, 'size'],
      [{ size: '12x6' }, /'size'/, 'size'],
      [{ size: '516x516' }, /'size'/, 'size'],
      [{ size: '0x0' }, /'size'/, 'size'],
      [{ seed: -1 }, /'seed'/, 'seed'],
      [{ seed: 2 ** 32 }, /'seed'/, 'seed'],
      [{ stream: true }, /Unsupported: 'stream' = true/, 'stream'],
      [{ partial_images: 2 }, /Unsupported: 'partial_images' = 2/, 'partial_images'],
      [{ background: 'transparent' }, /Unsupported: 'background'/, 'background'],
      [{ quality: 'high' }, /Unsupported: 'quality'/, 'quality'],
      [{ style: 'vivid' }, /Unsupported: 'style'/, 'style'],
      [{ output_format: 'jpeg' }, /Unsupported: 'output_format' = "jpeg"/, 'output_format'],
      [{ response_format: 'file' }, /'response_format'/, 'response_format'],
      [{ other: 1 }, /Unknown parameter: 'other'/, 'other'],
      [{ model: 'vae' }, /'vae' draws without one; expected ""/, 'prompt'],
      [
        { model: 'told-vae', output_format: 'webp' },
        /draws at the edge, where PNGs alone are written/,
        'output_format',
      ],
      [{ response_format: 'latents', output_format: 'webp' }, /which gives no file/, 'output_format'],
    ]
    for (const [body, message, param] of cases) {
      const error = await errorOf(await ask(body))
      assert.equal(error.status, 400, error.message)
      assert.match(error.message, message)
      assert.equal(error.param, param)
    }
    assert.equal((await ask({ model: 'none' })).status, 404)
    const infinite = await edge.ask('/v1/images/generations', { body: '{"model":"gan","prompt":"","n":1e999}' })
    assert.equal(infinite.status, 400)
    // What OpenAI's clients send, and what asks for nothing.
    const inert = { user: 'u', moderation: 'low', quality: 'auto', background: 'auto', stream: false, style: null }
    assert.equal((await ask(inert)).status, 200)
  })
})

const HEARTBEAT = {
  id: 'a-runner',
  status: 'ok',
  device: 'cpu',
  models: [],
  loaded: [],
  load: { running: 0, waiting: 0, slots: 1 },
}

/** The models that are asked when none is named, or tiny ones where they do not ship yet. */
async function publishDefaults(edge: Edge): Promise<void> {
  await publish(edge, 'emoji-gan', { parts: GAN, files: [GENERATOR] })
  const prior = { file: fileOf(PRIOR), conditions: CONDITIONS }
  await publish(edge, 'emoji-vae', { parts: { ...VAE, prior }, files: [ENCODER, DECODER, PRIOR] })
}

describe('the default model', () => {
  const postTo = async (edge: Edge, path: string, body: object) => {
    const response = await edge.ask(path, { body })
    assert.equal(response.status, 200, await response.clone().text())
    return { answer: (await response.json()) as Answer, by: response.headers.get('x-served-by') }
  }

  test('draws on a runner; its latents are where the VAE puts its pictures', async () => {
    await using runner = await startDrawingRunner()
    const edge = await startEdge({ runnerUrl: runner.url, runnerTimeoutMs: 60_000 })
    try {
      runner.use(edge.url)
      await publishDefaults(edge)
      const body = { prompt: PROMPT, seed: 2, n: 2 }
      const { answer: pictures, by } = await postTo(edge, '/v1/images/generations', body)
      assert.deepEqual([by, pictures.model, pictures.degraded], ['runner', 'emoji-gan', undefined])
      const { answer } = await postTo(edge, '/v1/images/generations', { ...body, response_format: 'latents' })
      const images = pictures.data.map(({ b64_json }) => b64_json)
      const encoded = await postTo(edge, '/v1/latents', { model: 'emoji-vae', images })
      const means = encoded.answer.data as unknown as { mean: number[] }[]
      for (const [i, { latents, model }] of answer.data.entries()) {
        assert.equal(model, 'emoji-vae')
        assertClose(latents, means[i]?.mean ?? [], 1e-6)
      }
      const latents = answer.data.map((one) => one.latents)
      const decoded = await postTo(edge, '/v1/latents/decode', { model: 'emoji-vae', latents })
      assert.equal(decoded.answer.data.length, 2)
    } finally {
      await edge.stop()
    }
  })

  test('draws on the runner that is there, if another is not', async () => {
    await using runner = await startDrawingRunner()
    const gone = 'http://127.0.0.1:1'
    const edge = await startEdge({ runnerUrl: gone, runnerTimeoutMs: 60_000 })
    try {
      runner.use(edge.url)
      await publishDefaults(edge)
      const body = { ...HEARTBEAT, url: runner.url }
      assert.equal((await edge.ask('/internal/runners', { body, key: RUNNER_SECRET })).status, 204)
      // Each generator is asked of the runner that is likely to hold it: of some, that is the one which is gone.
      for (const name of ['one', 'another', 'a third', 'a fourth']) {
        const file = generator(name)
        const model = name.replace(' ', '-')
        await publish(edge, model, { parts: { ...GAN, generator: fileOf(file) }, files: [file] })
        assert.equal((await postTo(edge, '/v1/images/generations', { model, prompt: PROMPT })).by, 'runner')
      }
    } finally {
      await edge.stop()
    }
  })

  test('is stood in for at the edge where there is no runner', async () => {
    const edge = await startEdge()
    try {
      await edge.runner.stop()
      await publishDefaults(edge)
      const body = { prompt: PROMPT, seed: 2 }
      const { answer, by } = await postTo(edge, '/v1/images/generations', body)
      assert.deepEqual([by, answer.model, answer.degraded], ['edge', 'emoji-vae', true])
      const named = await postTo(edge, '/v1/images/generations', { ...body, model: 'emoji-vae' })
      assert.equal(named.answer.degraded, undefined)
      assert.deepEqual(named.answer.data, answer.data)
      await publish(edge, 'another-gan', { parts: GAN })
      for (const refused of [{ model: 'another-gan' }, { output_format: 'webp' }]) {
        const response = await edge.ask('/v1/images/generations', { body: { ...body, ...refused } })
        assert.ok(Number(response.headers.get('retry-after')) > 0)
        const error = await errorOf(response)
        assert.deepEqual([error.status, error.code], [503, 'runner_unavailable'])
      }
    } finally {
      await edge.stop()
    }
  })
})

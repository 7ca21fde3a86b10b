/** Pictures that are none, and models that are another's, on every route that takes them: told, and the next is served. */
import assert from 'node:assert/strict'
import { deflateSync } from 'node:zlib'
import { after, before, describe, test } from 'node:test'
import { type Edge, errorOf, startEdge } from '#edge/testing/edge.ts'
import {
  DECODER,
  DENOISER,
  detector,
  ENCODER,
  fileOf,
  GAN,
  IMAGE_SCORER,
  IMAGES,
  PIXELS,
  publish,
  SIDE,
} from './models.ts'
import { chunk, pngOf } from './png.ts'

const good = Buffer.from(
  pngOf(
    Array.from({ length: PIXELS }, (_, i) => i),
    SIDE,
  ),
  'base64',
)

/** A grey PNG that says that it is so large, and holds these bytes unpacked. */
function pngThatSays(side: number, unpacked: Buffer): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header[8] = 8
  const parts = [chunk('IHDR', header), chunk('IDAT', deflateSync(unpacked)), chunk('IEND')]
  return Buffer.concat([good.subarray(0, 8), ...parts])
}

function flipped(at: number): Buffer {
  const file = Buffer.from(good)
  file[at] = (file[at] ?? 0) ^ 1
  return file
}

const FILES: readonly (readonly [string, Buffer, RegExp])[] = [
  ['of 40,000 × 40,000 pixels', pngThatSays(40_000, Buffer.alloc(64)), /6 × 6 pixels, got 40000 × 40000/],
  ['that unpacks to 64 MB', pngThatSays(SIDE, Buffer.alloc(64 << 20)), /more pixels than its header says/],
  ['whose pixels were altered', flipped(good.indexOf('IDAT') + 8), /expected a PNG, but/],
  ['whose header was altered', flipped(18), /6 × 6 pixels, got 262 × 6/],
  ['that is cut short', good.subarray(0, good.length - 20), /expected a PNG, but/],
  ['that is empty', Buffer.alloc(0), /expected/],
  ['that is a GIF', Buffer.from('GIF89a\x01\0\x01\0\0\0\0;', 'latin1'), /expected a PNG/],
  ['that is a page', Buffer.from('<script>alert(1)</script>'), /expected a PNG/],
]

describe('bad input', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
    await publish(edge, 'vae', { files: [ENCODER, DECODER] })
    await publish(edge, 'denoiser', {
      parts: { family: 'denoiser', input: IMAGES, denoiser: fileOf(DENOISER) },
      files: [DENOISER],
    })
    await publish(edge, 'detector', { parts: detector(IMAGES, IMAGE_SCORER), files: [IMAGE_SCORER] })
  })
  after(() => edge.stop())

  const post = (path: string, body: object) => (image: Buffer) =>
    edge.ask(path, { body: { ...body, ...place(path, image.toString('base64')) } })
  const place = (path: string, image: string) => (path.endsWith('enhancements') ? { image } : { images: [image] })
  const ROUTES: readonly (readonly [string, (image: Buffer) => Promise<Response>])[] = [
    ['/v1/latents', post('/v1/latents', { model: 'vae' })],
    ['/v1/latents/map', post('/v1/latents/map', { model: 'vae' })],
    ['/v1/anomalies', post('/v1/anomalies', { model: 'detector' })],
    ['/v1/images/enhancements', post('/v1/images/enhancements', { model: 'denoiser', task: 'denoise' })],
    [
      '/v1/images/variations',
      (image) => {
        const body = new FormData()
        body.append('model', 'vae')
        body.append('image', new Blob([new Uint8Array(image)]), 'image.png')
        const headers = { authorization: `Bearer ${edge.key}` }
        return fetch(`${edge.url}/v1/images/variations`, { method: 'POST', headers, body })
      },
    ],
  ]

  for (const [route, send] of ROUTES) {
    test(`is told on ${route}, and the next request is served`, async () => {
      for (const [what, file, message] of FILES) {
        const error = await errorOf(await send(file))
        assert.equal(error.status, 400, `${what}: ${error.message}`)
        assert.match(error.message, message, what)
        assert.match(error.param ?? '', /^images?/, what)
      }
      assert.equal((await send(good)).status, 200)
    })
  }

  test('is another tenant’s model, on every route', async () => {
    await publish(edge, 'mine', { owner: 'mine' })
    await publish(edge, 'my-gan', { owner: 'mine', parts: GAN })
    const { key } = await edge.newKey({ owner: 'theirs' })
    const image = good.toString('base64')
    const cases: [string, object][] = [
      ['/v1/latents', { images: [image] }],
      ['/v1/latents/decode', { latents: [[0, 0, 0]] }],
      ['/v1/latents/interpolate', { from: [0, 0, 0], to: [1, 1, 1], steps: 2 }],
      ['/v1/latents/map', { latents: [[0, 0, 0]] }],
      ['/v1/anomalies', { images: [image] }],
      ['/v1/images/enhancements', { task: 'denoise', image }],
      ['/v1/images/generations', { prompt: '' }],
      ['/v1/images/generations', { prompt: '', model: 'my-gan' }],
    ]
    for (const [path, body] of cases) {
      const error = await errorOf(await edge.ask(path, { body: { model: 'mine', ...body }, key }))
      assert.deepEqual([error.status, error.code], [404, 'model_not_found'], path)
      // It says no more than of one that there never was.
      assert.match(error.message, /^The model 'm[\w-]+' does not exist\.$/)
    }
  })
})

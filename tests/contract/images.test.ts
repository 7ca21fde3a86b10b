import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toFile } from 'openai'
import sharp from 'sharp'
import { key, openai, url } from '../support/shared.ts'

const PROMPT = 'red heart'

test('pictures are drawn by the default model, and have addresses', async () => {
  const client = openai()
  const { data, response } = await client.images
    .generate({ prompt: PROMPT, n: 2, size: '64x64' as 'auto' })
    .withResponse()
  assert.equal(response.headers.get('x-served-by'), 'runner')
  assert.equal(data.data?.length, 2)
  for (const { b64_json = '' } of data.data ?? []) {
    const { format, width, height } = await sharp(Buffer.from(b64_json, 'base64')).metadata()
    assert.deepEqual([format, width, height], ['png', 64, 64])
  }
  const { data: [image] = [] } = await client.images.generate({
    prompt: PROMPT,
    output_format: 'webp',
    response_format: 'url',
  })
  const answer = await fetch(image?.url ?? '')
  assert.equal(answer.headers.get('content-type'), 'image/webp')
  assert.equal((await sharp(await answer.arrayBuffer()).metadata()).width, 32)
})

test('a red heart is red, and not where its corners are', async () => {
  const { data: [image] = [] } = await openai().images.generate({ prompt: PROMPT, n: 1, ...{ seed: 7 } })
  const pixels = await sharp(Buffer.from(image?.b64_json ?? '', 'base64'))
    .raw()
    .toBuffer()
  const at = (x: number, y: number) => [...pixels.subarray((y * 32 + x) * 3, (y * 32 + x) * 3 + 3)]
  const [red = 0, green = 0, blue = 0] = at(16, 14)
  assert.ok(red > 150 && green < 120 && blue < 120, `${[red, green, blue]}`)
  for (const corner of [at(0, 31), at(31, 31)])
    assert.ok(
      corner.every((sample) => sample > 200),
      `${corner}`,
    )
})

test('a picture is varied by the model that is asked when none is named', async () => {
  const { data: [image] = [] } = await openai().images.generate({ prompt: PROMPT })
  const file = await toFile(Buffer.from(image?.b64_json ?? '', 'base64'), 'heart.png', { type: 'image/png' })
  const { data = [] } = await openai().images.createVariation({ image: file, n: 2 })
  assert.equal(data.length, 2)
})

test('latents are what the VAE decodes', async () => {
  const post = async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    assert.equal(response.status, 200, await response.clone().text())
    return (await response.json()) as { data: { latents: number[]; model: string; b64_json: string }[] }
  }
  const { data: [drawn] = [] } = await post('/v1/images/generations', { prompt: PROMPT, response_format: 'latents' })
  assert.equal(drawn?.latents.length, 32)
  const { data: [decoded] = [] } = await post('/v1/latents/decode', { model: drawn?.model, latents: [drawn?.latents] })
  assert.equal((await sharp(Buffer.from(decoded?.b64_json ?? '', 'base64')).metadata()).width, 32)
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { LOCAL_OWNER } from '#edge/storage/keys.ts'
import { newModel } from '#edge/storage/trained-models.ts'
import { DECODER, publish, SIDE } from '../inference/models.ts'
import { pngOf, samplesOf } from '../inference/png.ts'
import { barriers } from './accessibility.ts'
import { type PictureEdge, startPictureEdge } from './picture-edge.ts'

const LOOKS = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 } }],
] as const

/** A grey picture of the models' size, as a file. */
function picture(name: string, pixel: (x: number, y: number) => number) {
  const pixels = Array.from({ length: SIDE * SIDE }, (_, i) => pixel(i % SIDE, Math.floor(i / SIDE)))
  return { name, mimeType: 'image/png', buffer: Buffer.from(pngOf(pixels, SIDE), 'base64') }
}
const BLACK = picture('black.png', () => 0)
const SPOT = picture('spot.png', (x, y) => (x === 4 && y === 2 ? 255 : 0))
const GREY = picture('grey.png', () => 128)

/** Pixels in [0, 1] of a picture that is shown. */
async function shown(page: Page, selector: string): Promise<number[]> {
  const source = await page.locator(selector).getAttribute('src')
  return samplesOf(source?.replace('data:image/png;base64,', '') ?? '')
}

/** The same as the browser draws it, whoever wrote the PNG: red, 0 to 255. */
async function drawn(page: Page, selector: string): Promise<number[]> {
  return page.locator(selector).evaluate((image: HTMLImageElement) => {
    const { naturalWidth: width, naturalHeight: height } = image
    const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d')
    context?.drawImage(image, 0, 0)
    return [...(context?.getImageData(0, 0, width, height).data ?? [])].filter((_, i) => i % 4 === 0)
  })
}

async function changed(page: Page, selector: string, before: number[]): Promise<number[]> {
  const source = `data:image/png;base64,${pngOf(
    before.map((sample) => Math.round(sample * 255)),
    SIDE,
  )}`
  await page.waitForFunction(
    ([selector = '', source]) => {
      const now = document.querySelector(selector)?.getAttribute('src')
      return now && now !== source
    },
    [selector, source],
  )
  return shown(page, selector)
}

describe('pictures in the studio', () => {
  let pictures: PictureEdge
  before(async () => {
    pictures = await startPictureEdge()
  })
  after(() => pictures[Symbol.asyncDispose]())

  const decodePng = async (latent: number[]): Promise<string> => {
    const response = await pictures.edge.ask('/v1/latents/decode', { body: { model: 'tiny-vae', latents: [latent] } })
    const { data } = (await response.json()) as { data: { b64_json: string }[] }
    return data[0]?.b64_json ?? ''
  }
  const decode = async (latent: number[]): Promise<number[]> => samplesOf(await decodePng(latent))

  test('sliders along the principal directions show what the API decodes; two places are two ends of a way', async () => {
    await using opened = await pictures.open('/studio/explore?model=tiny-vae')
    const { page, complaints, foreign } = opened
    const here = '.here .pixels'
    await page.locator(here).waitFor()
    assert.deepEqual(await shown(page, here), await decode([0, 0, 0]))
    const sliders = page.getByRole('slider', { name: /^Direction/ })
    await sliders.first().waitFor()
    assert.equal(await sliders.count(), 3)
    const shares = await sliders.evaluateAll((all) =>
      all.map((slider) => Number.parseFloat(slider.getAttribute('aria-valuetext')?.split('; ')[1] ?? '')),
    )
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => b - a),
    )
    const middle = await shown(page, here)
    const asked = page.waitForRequest((request) => request.url().endsWith('/v1/latents/decode'))
    await sliders.first().fill('2')
    const { latents } = (await asked).postDataJSON() as { latents: number[][] }
    const moved = await changed(page, here, middle)
    assert.deepEqual(moved, await decode(latents[0] ?? []))

    await page.getByRole('button', { name: 'Keep as the first' }).click()
    await page.getByRole('button', { name: 'Back to the middle' }).click()
    await page.waitForFunction(() => document.querySelector<HTMLInputElement>('.directions input')?.value === '0')
    await changed(page, here, moved)
    await page.getByRole('button', { name: 'Keep as the second' }).click()
    assert.deepEqual(await shown(page, '.end:first-child .pixels'), moved)
    await page.getByRole('slider', { name: 'Between the first and the second' }).fill('0')
    await changed(page, here, middle)
    assert.deepEqual(await shown(page, here), moved)
    assert.deepEqual(complaints, [])
    assert.deepEqual(foreign, [])
  })

  test('a picture of one’s own is where the model sees it, and what is none is named', async () => {
    await using opened = await pictures.open('/studio/explore?model=tiny-vae')
    const { page } = opened
    await page.getByRole('slider', { name: 'Direction 1' }).waitFor()
    const input = page.locator('input[type=file]')
    const middle = await shown(page, '.here .pixels')
    await input.setInputFiles(GREY)
    const seen = await changed(page, '.here .pixels', middle)
    const response = await pictures.edge.ask('/v1/latents', {
      body: { model: 'tiny-vae', images: [GREY.buffer.toString('base64')] },
    })
    const { data } = (await response.json()) as { data: { mean: number[] }[] }
    assert.deepEqual(seen, await decode(data[0]?.mean ?? []))
    await input.setInputFiles({ name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('no picture') })
    await page.getByRole('alert').getByText('“broken.png” is not a picture that this browser can read.').waitFor()
    await input.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('text') })
    await page.getByRole('alert').getByText('“notes.txt” cannot be used here. Choose a picture.').waitFor()
  })

  test('pictures are scored, highest first, and the part that does not fit is marked', async () => {
    await using opened = await pictures.open('/studio/anomalies?model=tiny-detector')
    const { page } = opened
    await page.locator('input[type=file]').setInputFiles([BLACK, SPOT, GREY])
    // The detector counts how much is not black; 10 is its threshold.
    await page.getByText('Nothing unusual in 3.').waitFor()
    assert.deepEqual(await page.locator('.found-list button').allTextContents(), [
      'Picture 3',
      'Picture 2',
      'Picture 1',
    ])
    await page.getByRole('button', { name: 'Picture 2' }).click()
    const marked = await page
      .locator('.tiles rect')
      .evaluateAll((tiles) =>
        tiles
          .filter((tile) => Number(tile.getAttribute('fill-opacity')) > 0)
          .map((tile) => [tile.getAttribute('x'), tile.getAttribute('y')]),
      )
    assert.deepEqual(marked, [['4', '2']])
  })

  test('a map of what a model makes: walked by arrows, zoomed, arranged anew, and a way into Explore', async () => {
    await using opened = await pictures.open('/studio/map?model=tiny-vae')
    const { page, complaints } = opened
    const first = page.waitForResponse('**/v1/latents/map')
    await page.getByRole('button', { name: 'Map what the model makes' }).click()
    const { latents } = (await first).request().postDataJSON() as { latents: number[][] }
    assert.equal(latents.length, 120)
    const map = page.getByRole('application', { name: 'Map of 120 pictures' })
    await map.waitFor()
    const chosen = page.locator('.map-detail .pixels')
    await page.getByRole('img', { name: 'Picture 1 of 120' }).waitFor()
    assert.deepEqual(await shown(page, '.map-detail .pixels'), await decode(latents[0] ?? []))
    // One way or the other there is another point.
    await map.press('ArrowRight')
    if ((await chosen.getAttribute('alt')) === 'Picture 1 of 120') await map.press('ArrowLeft')
    const name = (await chosen.getAttribute('alt')) ?? ''
    assert.notEqual(name, 'Picture 1 of 120')
    await page.getByRole('button', { name: 'Closer' }).click()
    const again = page.waitForResponse('**/v1/latents/map')
    await page.getByLabel('Arranged by').selectOption('umap')
    assert.equal(((await again).request().postDataJSON() as { method: string }).method, 'umap')
    await map.press('Enter')
    await page.waitForURL(/explore\?model=tiny-vae$/)
    const index = Number(/\d+/.exec(name)?.[0]) - 1
    const expected = `data:image/png;base64,${await decodePng(latents[index] ?? [])}`
    await page.waitForFunction(
      (source) => document.querySelector('.here .pixels')?.getAttribute('src') === source,
      expected,
    )
    assert.deepEqual(complaints, [])
  })

  test('one’s own pictures are a map, too', async () => {
    await using opened = await pictures.open('/studio/map?model=tiny-vae')
    const { page } = opened
    await page.locator('input[type=file]').setInputFiles([BLACK, SPOT, GREY])
    await page.getByRole('application', { name: 'Map of 3 pictures' }).waitFor()
    assert.deepEqual(await barriers(page), [])
  })

  test('one’s own model decodes in this browser as it does at the edge', async () => {
    await using opened = await pictures.open('/studio/explore?model=tiny-vae')
    const { page, complaints } = opened
    const file = page.waitForResponse(/\/v1\/models\/tiny-vae\/files\/[0-9a-f]{64}$/)
    await page.getByRole('slider', { name: 'Direction 1' }).waitFor()
    const before = await drawn(page, '.here .pixels')
    await page.getByLabel('Decode in this browser').check()
    await page.getByText('Decoded in this browser in').waitFor()
    assert.deepEqual(Buffer.from(await (await file).body()), Buffer.from(DECODER))
    const here = await drawn(page, '.here .pixels')
    assert.equal(here.length, before.length)
    for (const [i, value] of here.entries()) assert.ok(Math.abs(value - (before[i] ?? 999)) <= 1, `${i}: ${value}`)
    assert.deepEqual(complaints, [])
  })

  test('one’s own model is deleted by a second press; what ships cannot be', async () => {
    const manifest = await publish(pictures.edge, 'short-lived', { owner: LOCAL_OWNER })
    await newModel(pictures.edge.database, LOCAL_OWNER, manifest).run()
    await using opened = await pictures.open('/models')
    const { page } = opened
    await page.getByRole('button', { name: 'Delete: short-lived', exact: true }).click()
    await page.getByRole('heading', { name: 'tiny-vae' }).click()
    await page.getByRole('button', { name: 'Delete: short-lived', exact: true }).click()
    await page.getByRole('button', { name: 'Really delete: short-lived' }).click()
    await page.getByRole('heading', { name: 'short-lived' }).waitFor({ state: 'detached' })
    await page.getByRole('heading', { name: 'emoji-vae' }).waitFor()
    assert.equal(await page.getByRole('button', { name: 'Delete: emoji-vae' }).count(), 0)
    assert.equal((await pictures.edge.ask('/v1/models/short-lived')).status, 404)
  })

  test('noise is taken out, and a divider goes between before and after', async () => {
    await using opened = await pictures.open('/studio/denoise?model=tiny-denoiser')
    const { page } = opened
    await page.locator('input[type=file]').setInputFiles(GREY)
    const divider = page.getByRole('slider', { name: 'Where before ends and after begins' })
    await divider.waitFor()
    const response = await pictures.edge.ask('/v1/images/enhancements', {
      body: { model: 'tiny-denoiser', task: 'denoise', image: GREY.buffer.toString('base64') },
    })
    const { data } = (await response.json()) as { data: { b64_json: string }[] }
    const after = await shown(page, '.before-after .pixels:not(.over)')
    assert.deepEqual(after, samplesOf(data[0]?.b64_json ?? ''))
    await divider.press('End')
    assert.equal(await divider.getAttribute('aria-valuetext'), '100 % before')
    await page.getByRole('slider', { name: 'Noise added first' }).fill('0.3')
    await changed(page, '.before-after .pixels:not(.over)', after)
  })

  for (const [look, options] of LOOKS) {
    test(`nobody is shut out, nothing overflows: ${look}`, async () => {
      await using opened = await pictures.open('/studio/explore?model=tiny-vae', options)
      const { page } = opened
      await page.getByRole('slider', { name: 'Direction 1' }).waitFor()
      await page.getByRole('button', { name: 'Keep as the first' }).click()
      assert.deepEqual(await barriers(page), [])
      await page.getByRole('link', { name: 'Denoise' }).click()
      await page.locator('.section:not([hidden]) > .scroll input[type=file]').last().setInputFiles(GREY)
      await page.getByRole('slider', { name: 'Where before ends and after begins' }).waitFor()
      assert.deepEqual(await barriers(page), [])
      await page.goto(`${pictures.edge.url}/studio/generate?model=tiny-vae`)
      await page.getByRole('button', { name: 'Generate' }).click()
      await page.getByText('Made by tiny-vae at the edge').waitFor()
      assert.deepEqual(await barriers(page), [])
      await page.goto(`${pictures.edge.url}/studio/map?model=tiny-vae`)
      await page.locator('input[type=file]').setInputFiles([BLACK, SPOT, GREY])
      await page.getByRole('application', { name: 'Map of 3 pictures' }).waitFor()
      assert.deepEqual(await barriers(page), [])
      await page.goto(`${pictures.edge.url}/models`)
      await page.getByRole('heading', { name: 'tiny-vae' }).waitFor()
      assert.deepEqual(await barriers(page), [])
    })
  }
})

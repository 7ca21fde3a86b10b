import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { url } from '../support/shared.ts'
import { barriers } from './accessibility.ts'
import { openPage } from './page.ts'
import { startPictureEdge } from './picture-edge.ts'

const sources = (page: Page) =>
  page.locator('.picture-grid img').evaluateAll((images) => images.map((image) => image.getAttribute('src')))

test('a prompt is drawn on the runner; the same seed draws the same again, and a picture can be walked on from', async () => {
  await using opened = await openPage('/studio/generate')
  const { page, complaints, foreign } = opened
  await page.getByLabel('What should be on it?').fill('a red apple')
  await page.getByLabel('Pictures').selectOption('3')
  await page.getByLabel('Seed').fill('7')
  await page.getByRole('button', { name: 'Generate' }).click()
  await page.getByText('Made by emoji-gan on the runner, seed 7').waitFor()
  const first = await sources(page)
  assert.equal(new Set(first).size, 3)
  const drawn = page.waitForResponse('**/v1/images/generations')
  await page.getByRole('button', { name: 'Generate' }).click()
  await drawn
  await page.getByText('Made by emoji-gan on the runner, seed 7').waitFor()
  assert.deepEqual(await sources(page), first)
  await page.locator('.picture-grid li').first().hover()
  await page.getByRole('button', { name: 'Explore from this picture' }).first().click()
  await page.waitForURL(`${url}/studio/explore`)
  await page.locator('.here .pixels').waitFor()
  await page.goBack()
  assert.equal(await page.getByLabel('What should be on it?').inputValue(), 'a red apple')
  assert.deepEqual(complaints, [])
  assert.deepEqual(foreign, [])
})

test('an example draws at once; a failure stands there and keeps the prompt', async () => {
  await using opened = await openPage('/studio/generate')
  const { page } = opened
  await page.route('**/v1/images/generations', (route) => route.abort(), { times: 1 })
  await page.getByRole('button', { name: 'a snowy mountain' }).click()
  await page.getByRole('alert').getByText('The server could not be reached.').waitFor()
  assert.equal(await page.getByLabel('What should be on it?').inputValue(), 'a snowy mountain')
  await page.getByRole('button', { name: 'Generate' }).click()
  await page.getByText('Made by emoji-gan on the runner').waitFor()
  assert.equal((await sources(page)).length, 8)
  assert.deepEqual(await barriers(page), [])
})

test('without a runner the studio is there, and a stand-in is told openly', async () => {
  await using alone = await startPictureEdge({ runnerUrl: 'http://127.0.0.1:1' })
  await using opened = await alone.open('/studio/generate?model=emoji-gan')
  const { page } = opened
  await page.getByRole('button', { name: 'a red apple' }).click()
  await page.getByText('No runner is there just now, so a smaller model at the edge made these.').waitFor()
  await page.getByText('Made by emoji-vae at the edge').waitFor()
  assert.equal((await sources(page)).length, 8)
})

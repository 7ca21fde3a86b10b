import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { url } from '../support/shared.ts'
import { barriers } from './accessibility.ts'
import { openPage } from './page.ts'

const LOOKS = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 } }],
] as const

/** Which the example of sensor readings is scored with. */
async function scoreExample(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Try readings that the model never saw' }).click()
  await page.getByText('of 300 do not fit.').waitFor()
}

async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate((pasted) => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/plain', pasted)
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  }, text)
}

/** The names of the columns that the bundled model takes. */
async function columns(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { data } = await (await fetch('/v1/models')).json()
    const { input } = data.find(({ id }: { id: string }) => id === 'sensor-anomalies')
    return input.columns.map(({ name }: { name: string }) => name)
  })
}

test('the rail leads to the studio and back, and what was typed stays', async () => {
  await using opened = await openPage()
  const { page, complaints, foreign } = opened
  await page.getByLabel('Your message').fill('half a question')
  await page.getByRole('link', { name: 'Studio' }).click()
  await page.waitForURL(`${url}/studio`)
  await page.getByRole('link', { name: 'Anomalies' }).click()
  await page.waitForURL(`${url}/studio/anomalies`)
  await scoreExample(page)
  await page.getByRole('link', { name: 'Chat' }).click()
  assert.equal(await page.getByLabel('Your message').inputValue(), 'half a question')
  await page.getByRole('link', { name: 'Studio' }).click()
  await page.getByText('of 300 do not fit.').waitFor()
  await page.waitForFunction(() => document.title === 'Studio · Tandem')
  await page.goBack()
  await page.getByLabel('Your message').waitFor()
  assert.deepEqual(complaints, [])
  assert.deepEqual(foreign, [])
})

test('a table is scored: the list by score, the strip, the shares, a file of it all', async () => {
  await using opened = await openPage('/studio/anomalies')
  const { page } = opened
  await scoreExample(page)
  const scores = await page.locator('.found-list tbody td:nth-child(2)').allTextContents()
  const numbers = scores.map((score) => Number(score.replaceAll(',', '')))
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => b - a),
  )
  const shares = page.getByRole('region', { name: 'What makes it unusual' })
  const first = await shares.getByRole('heading').textContent()
  assert.equal(await page.locator('.found-list tr.selected button').textContent(), first)

  const strip = page.getByRole('slider', { name: 'Scores, in the order of the data' })
  await strip.press('Home')
  assert.equal(await shares.getByRole('heading').textContent(), 'Line 2')
  await strip.press('ArrowRight')
  assert.equal(await shares.getByRole('heading').textContent(), 'Line 3')
  assert.match((await strip.getAttribute('aria-valuetext')) ?? '', /^Line 3: score [\d.]+$/)
  const percents = (await shares.locator('td:nth-child(3)').allTextContents()).map((text) => Number.parseFloat(text))
  assert.equal(percents.length, 12)
  assert.ok(Math.abs(percents.reduce((sum, percent) => sum + percent, 0) - 100) < 4, percents.join())

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download the scores' }).click(),
  ])
  assert.equal(download.suggestedFilename(), 'anomalies.csv')
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\r\n')
  assert.equal(lines.length, 301)
  assert.match(lines[0] ?? '', /^line,score,is_anomaly,severity,humidity 2 before,.*,share of change of temperature$/)
  const found = lines.slice(1).filter((line) => line.split(',')[2] === '1').length
  await page.getByText(`${found} of 300 do not fit.`).waitFor()
})

test('a table that is pasted is taken, and one that cannot be is named, and why', async () => {
  await using opened = await openPage('/studio/anomalies')
  const { page } = opened
  const alert = page.getByRole('alert')
  await page.getByRole('button', { name: 'Choose a file' }).waitFor()
  await paste(page, 'humidity,temperature\n1,2\n')
  await alert.getByText('The model needs the columns “humidity 2 before”').waitFor()
  const header = (await columns(page)).join(',')
  const row = (value: string) => [...Array.from({ length: 11 }, () => '0'), value].join(',')
  await paste(page, `${header}\n${row('0')}\n${row('warm')}\n`)
  await alert.getByText('Line 3: the column “change of temperature” should hold a number, not “warm”.').waitFor()
  await paste(page, `${header}\n${row('0')}\n${row('90')}\n`)
  await page.getByText('1 of 2 do not fit.').waitFor()
  await alert.waitFor({ state: 'detached' })
})

test('scoring shows how far it is, stops, and goes on from there', async () => {
  await using opened = await openPage('/studio/anomalies')
  const { page } = opened
  await page.getByRole('button', { name: 'Choose a file' }).waitFor()
  const names = await columns(page)
  const rows = Array.from({ length: 3000 }, () => names.map(() => 0).join(','))
  // The second of three batches is held back until it has been stopped.
  const held = Promise.withResolvers<void>()
  let asked = 0
  await page.route('**/v1/anomalies', async (route) => {
    asked += 1
    if (asked === 2) await held.promise
    await route.continue().catch(() => undefined)
  })
  await paste(page, [names.join(','), ...rows].join('\n'))
  await page.getByText('1,024 of 3,000 scored').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Go on' }).waitFor()
  held.resolve()
  assert.equal(await page.getByRole('progressbar').getAttribute('value'), '1024')
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByText(/of 3,000 do not fit|Nothing unusual in 3,000/).waitFor()
  await page.getByRole('progressbar').waitFor({ state: 'detached' })
  assert.equal(asked, 4)
})

test('a failure stands where it happened, and trying again gets over it', async () => {
  await using opened = await openPage('/studio/anomalies')
  const { page } = opened
  await page.route('**/v1/anomalies', (route) => route.abort(), { times: 1 })
  await page.getByRole('button', { name: 'Try readings that the model never saw' }).click()
  await page.getByRole('alert').getByText('The server could not be reached.').waitFor()
  await scoreExample(page)
  await page.getByRole('alert').waitFor({ state: 'detached' })
})

test('rows are explored along directions, from a row of one’s own, and between two places', async () => {
  await using opened = await openPage('/studio/explore?model=sensor-anomalies')
  const { page, complaints } = opened
  const row = () => page.locator('.row-bars td.number').allTextContents()
  const first = page.getByRole('slider', { name: 'Direction 1' })
  await page.getByText('Decoded at the edge in').waitFor()
  assert.equal(await page.getByRole('slider', { name: /^Direction/ }).count(), 4)
  const middle = await row()
  assert.equal(middle.length, 12)
  const changed = (before: string[]) =>
    page.waitForFunction(
      (was) => [...document.querySelectorAll('.row-bars td.number')].map((cell) => cell.textContent).join() !== was,
      before.join(),
    )
  await first.fill('2')
  await changed(middle)
  const there = await row()
  await page.getByRole('button', { name: 'Keep as the first' }).click()
  await page.getByRole('button', { name: 'Back to the middle' }).click()
  await changed(there)
  assert.deepEqual(await row(), middle)
  await page.getByRole('button', { name: 'Keep as the second' }).click()
  const position = page.getByRole('slider', { name: 'Between the first and the second' })
  await position.fill('0')
  await changed(middle)
  assert.deepEqual(await row(), there)
  assert.equal(await first.inputValue(), '2')
  assert.deepEqual(complaints, [])
})

test('of places asked for faster than they are decoded, the newest is shown and the others are not asked for', async () => {
  await using opened = await openPage('/studio/explore')
  const { page } = opened
  const first = page.getByRole('slider', { name: 'Direction 1' })
  await first.waitFor()
  await page.getByText('Decoded at the edge in').waitFor()
  const held = Promise.withResolvers<void>()
  const asked: string[] = []
  await page.route('**/v1/latents/decode', async (route) => {
    asked.push(route.request().postData() ?? '')
    await held.promise
    await route.continue()
  })
  for (const value of ['0.5', '1', '1.5', '2', '2.5']) await first.fill(value)
  const decoded = page.waitForResponse(async (response) => asked.length === 2 && response.url().endsWith('decode'))
  held.resolve()
  await decoded
  assert.equal(asked.length, 2)
  const [{ latents: last }] = [JSON.parse(asked[1] ?? '{}') as { latents: number[][] }]
  const length = Math.hypot(...(last[0] ?? []))
  assert.ok(Math.abs(length - 2.5) < 1e-6, `${length}`)
})

test('a card says what a model is, and leads to where it works', async () => {
  await using opened = await openPage('/models')
  const { page } = opened
  const card = page.locator('.card', { has: page.getByRole('heading', { name: 'sensor-anomalies' }) })
  await card.getByText('Suthaharan').waitFor()
  await card.getByText('CC-BY-4.0').waitFor()
  await card.getByText('Measured').click()
  await card.getByText('test.roc_auc').waitFor()
  await card.getByText('Recipe').click()
  await card.getByText('epochs').waitFor()
  await page.getByRole('heading', { name: 'smollm2-135m-instruct' }).waitFor()
  await card.getByRole('link', { name: 'Find anomalies' }).click()
  await page.waitForURL(`${url}/studio/anomalies?model=sensor-anomalies`)
  assert.equal(await page.getByLabel('Model').inputValue(), 'sensor-anomalies')
})

for (const [look, options] of LOOKS) {
  test(`nobody is shut out of the studio, nothing overflows: ${look}`, async () => {
    await using opened = await openPage('/studio/anomalies', options)
    const { page } = opened
    await scoreExample(page)
    assert.deepEqual(await barriers(page), [])
    await page.getByRole('link', { name: 'Explore' }).click()
    await page.getByRole('slider', { name: 'Direction 1' }).waitFor()
    assert.deepEqual(await barriers(page), [])
    await page.getByRole('link', { name: 'Models' }).click()
    await page.getByRole('heading', { name: 'sensor-anomalies' }).waitFor()
    assert.deepEqual(await barriers(page), [])
  })
}

test('the same file decodes in the browser, without asking the server', async () => {
  await using opened = await openPage('/studio/explore?model=sensor-anomalies')
  const { page, complaints, foreign } = opened
  const row = async () => (await page.locator('.row-bars td.number').allTextContents()).map(Number)
  await page.getByRole('slider', { name: 'Direction 1' }).waitFor()
  await page.getByText('Decoded at the edge in').waitFor()
  const atTheEdge = await row()
  await page.getByLabel('Decode in this browser').check()
  await page.getByText('Decoded in this browser in').waitFor()
  for (const [i, value] of (await row()).entries()) assert.ok(Math.abs(value - (atTheEdge[i] ?? 0)) < 1e-3, `${value}`)
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.getByRole('slider', { name: 'Direction 1' }).fill('1')
  await page.waitForFunction(
    (was) => document.querySelector('.row-bars td.number')?.textContent !== was,
    String(atTheEdge[0]),
  )
  assert.deepEqual(asked, [])
  assert.deepEqual(complaints, [])
  assert.deepEqual(foreign, [])
})

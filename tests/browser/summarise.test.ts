import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { url } from '../support/shared.ts'
import { barriers } from './accessibility.ts'
import { openPage } from './page.ts'

const TEXT =
  'The storm closed the harbour for two days. It sank two boats near the pier. Lunch was late. The mayor said that repairs would begin on Monday.'
const field = (page: Page) => page.getByLabel('Text to summarise')
const sentences = (page: Page) => page.locator('.sentences[aria-busy="false"] .sentence')
/** Events of a summary, as the API has them. */
const events = (...all: object[]) => all.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')

async function summarise(page: Page): Promise<string[]> {
  await page.getByRole('button', { name: /^Summarise/ }).click()
  await sentences(page).first().waitFor()
  return sentences(page).allTextContents()
}

test('a text becomes as many of its sentences as one asks for, and stays over a reload', async () => {
  await using opened = await openPage()
  const { page, complaints, foreign } = opened
  await page.getByRole('link', { name: 'Summarise' }).click()
  await page.waitForURL(`${url}/summarise`)
  assert.ok(await page.getByRole('button', { name: 'Summarise' }).isDisabled())
  await field(page).fill(TEXT)
  await page.getByRole('slider', { name: 'Length' }).fill('2')
  const said = await summarise(page)
  assert.equal(said.length, 2)
  for (const sentence of said) assert.ok(TEXT.includes(sentence), sentence)
  await page.getByText('English (detected)').waitFor({ state: 'attached' })
  await page.reload()
  assert.deepEqual(await sentences(page).allTextContents(), said)
  assert.equal(await field(page).inputValue(), TEXT)
  assert.equal(await page.getByRole('slider', { name: 'Length' }).inputValue(), '2')
  await page.getByLabel('Unit of the length').selectOption('Words')
  await page.getByRole('slider', { name: 'Length' }).fill('20')
  await field(page).press('Control+Enter')
  await page.waitForFunction((before) => document.querySelectorAll('.sentence').length < before, 3)
  await sentences(page).first().waitFor()
  const words = (await sentences(page).allTextContents()).join(' ').split(' ').length
  assert.ok(words <= 20, `${words}`)
  assert.deepEqual(complaints, [])
  assert.deepEqual(foreign, [])
})

test('a sentence shows where it comes from: marked, letter on letter, and scrolled to; by keys alone', async () => {
  await using opened = await openPage('/summarise')
  const { page } = opened
  await field(page).fill(`${'Padding comes first, and says nothing. '.repeat(200)}\n\n${TEXT}`)
  await page.route('**/v1/summaries', async (route) => {
    const { input } = route.request().postDataJSON() as { input: string }
    const at = (words: string) => ({ start: input.indexOf(words), end: input.indexOf(words) + words.length })
    const parts = [
      { text: 'Two boats sank in the storm.', source: [at('It sank two boats near the pier.'), at('The storm')] },
      { text: 'Repairs begin on Monday.', source: [at('The mayor said that repairs would begin on Monday.')] },
    ]
    const summary = { object: 'summary', model: 'x', sentences: parts, unsupported: 1 }
    await route.fulfill({ contentType: 'text/event-stream', body: events(summary) })
  })
  assert.deepEqual(await summarise(page), ['Two boats sank in the storm.', 'Repairs begin on Monday.'])
  await page.getByText('One sentence that the model wrote was left out').waitFor()
  const marks = page.locator('.mirror mark')
  await sentences(page).first().focus()
  await page.keyboard.press('Enter')
  assert.deepEqual(await marks.allTextContents(), ['The storm', 'It sank two boats near the pier.'])
  await page.getByText('From 2 places in the text').waitFor()
  await page.keyboard.press('ArrowRight')
  await page.waitForFunction(() => document.querySelectorAll('.mirror mark').length === 1)
  assert.deepEqual(await marks.allTextContents(), ['The mayor said that repairs would begin on Monday.'])
  const sizes = await page.evaluate(() => {
    const [pane, mark, mirror, area] = ['.pane-body', '.mirror mark', '.mirror', '.marked-field textarea'].map(
      (selector) => document.querySelector<HTMLElement>(selector),
    )
    const [outer, inner] = [pane?.getBoundingClientRect(), mark?.getBoundingClientRect()]
    const isSeen = outer && inner && inner.top >= outer.top && inner.bottom <= outer.bottom
    return { isSeen, mirror: mirror?.scrollHeight, area: area?.scrollHeight, scrolls: (pane?.scrollTop ?? 0) > 0 }
  })
  assert.ok(sizes.isSeen && sizes.scrolls)
  assert.equal(sizes.mirror, sizes.area)

  await field(page).press('End')
  await field(page).pressSequentially('x')
  await page.getByText('The text has changed since.').waitFor()
  assert.equal(await marks.count(), 0)
})

test('what is written shows how far it is, comes sentence by sentence, and stops', async () => {
  await using opened = await openPage('/summarise')
  const { page } = opened
  await field(page).fill(TEXT)
  await page.getByLabel('Style').selectOption('Written by a model')
  // A server that has said one sentence and says no more.
  await page.evaluate(() => {
    const ask = window.fetch
    window.fetch = async (path, init) => {
      if (path !== '/v1/summaries') return ask(path, init)
      const said = [
        { object: 'summary.progress', done: 3, total: 12 },
        { object: 'summary.sentence', index: 0, sentence: { text: 'A storm came.', source: [{ start: 0, end: 42 }] } },
      ]
      const body = new ReadableStream({
        start(controller) {
          const text = said.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
          controller.enqueue(new TextEncoder().encode(text))
          init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason))
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }
  })
  await page.getByRole('button', { name: 'Summarise' }).click()
  await page.getByText('3 of 12 pieces read').waitFor()
  await page.locator('.sentence', { hasText: 'A storm came.' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByText('Stopped.').waitFor()
  assert.deepEqual(await sentences(page).allTextContents(), ['A storm came.'])
  await page.getByRole('button', { name: 'Summarise again' }).waitFor()
})

test('a model writes one, each sentence with its places', async () => {
  await using opened = await openPage('/summarise')
  const { page } = opened
  await field(page).fill(TEXT)
  await page.getByLabel('Style').selectOption('Written by a model')
  await page.getByRole('slider', { name: 'Length' }).fill('1')
  await page.getByRole('button', { name: 'Summarise' }).click()
  await sentences(page).first().waitFor({ timeout: 60_000 })
  await sentences(page).first().click()
  const [first = ''] = await page.locator('.mirror mark').allTextContents()
  assert.ok(first !== '' && TEXT.includes(first), first)
})

test('a file’s text is read into its place, what cannot be is named, and what is away is asked again', async () => {
  await using opened = await openPage('/summarise')
  const { page } = opened
  const choose = (name: string, body: string) =>
    page.locator('input[type=file]').setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(body) })
  await field(page).waitFor()
  await choose('picture.png', 'x')
  await page.getByRole('alert').getByText('“picture.png” cannot be read here.').waitFor()
  await page.route('**/v1/summaries', (route) => route.fulfill({ status: 503, json: { error: 'Nobody.' } }), {
    times: 1,
  })
  await choose('storm.txt', TEXT)
  assert.equal(await field(page).inputValue(), TEXT)
  await page.getByText('No language model can be reached just now.').waitFor()
  await sentences(page).first().waitFor()
  await page.getByText('No language model can be reached just now.').waitFor({ state: 'detached' })
})

const LOOKS = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 } }],
] as const
for (const [look, options] of LOOKS) {
  test(`nobody is shut out of the summaries, nothing overflows: ${look}`, async () => {
    await using opened = await openPage('/summarise', options)
    const { page } = opened
    await page.getByRole('button', { name: 'Try an example' }).waitFor()
    assert.deepEqual(await barriers(page), [])
    await page.getByRole('button', { name: 'Try an example' }).click()
    await sentences(page).nth(1).click()
    await page.locator('.mirror mark').waitFor({ state: 'attached' })
    assert.deepEqual(await barriers(page), [])
  })
}

test('a page is uploaded, its text takes the place of the text, and nothing of it is left', async () => {
  await using opened = await openPage('/summarise')
  const { page, complaints } = opened
  await field(page).waitFor()
  const html = `<h1>The storm</h1><p>${TEXT.replaceAll('. ', '.</p><p>')}</p><script>no()</script>`
  const buffer = Buffer.from(html)
  const removed = page.waitForResponse((response) => response.request().method() === 'DELETE')
  await page.locator('input[type=file]').setInputFiles({ name: 'storm.html', mimeType: 'text/html', buffer })
  await sentences(page).first().waitFor()
  assert.equal((await removed).status(), 200)
  assert.match(await field(page).inputValue(), /^The storm\s+The storm closed the harbour for two days\.\s+It sank/)
  const [first = ''] = await sentences(page).allTextContents()
  await sentences(page).first().click()
  assert.deepEqual(await page.locator('.mirror mark').allTextContents(), [first])
  await page.reload()
  assert.match(await field(page).inputValue(), /^The storm/)

  const broken = { name: 'broken.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4 nothing') }
  await page.locator('input[type=file]').setInputFiles(broken)
  await page.getByRole('alert').getByText('broken.pdf').waitFor()
  assert.equal(complaints.length, 1, complaints.join())
})

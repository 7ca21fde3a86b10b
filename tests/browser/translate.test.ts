import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { url } from '../support/shared.ts'
import { barriers } from './accessibility.ts'
import { openPage } from './page.ts'

const TWO = 'Open the file. Then close the window.'
const field = (page: Page) => page.getByLabel('Text to translate')
const shown = (page: Page) => page.locator('.sentences[aria-busy="false"]')

/** Types a text and returns what it becomes. */
async function translate(page: Page, text: string): Promise<string> {
  const answered = page.waitForResponse('**/v2/translate')
  await field(page).fill(text)
  await answered
  await shown(page).waitFor()
  return (await shown(page).textContent()) ?? ''
}

const choose = (page: Page, name: string, body: string) =>
  page.locator('input[type=file]').setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(body) })

test('a text is translated as it is typed, in an address that can be copied, and stays over a reload', async () => {
  await using opened = await openPage()
  const { page, complaints, foreign } = opened
  await page.getByRole('link', { name: 'Translate' }).click()
  await page.waitForURL(`${url}/translate?to=fr`)
  assert.match(await translate(page, TWO), /fichier.*fenêtre/)
  await page.getByText('English (detected)').waitFor({ state: 'attached' })
  await page.getByText('37 of 50,000').waitFor()
  assert.equal(page.url(), `${url}/translate?to=fr#text=${encodeURIComponent(TWO)}`)

  const copy = await page.context().newPage()
  await copy.goto(page.url())
  await copy.getByText('fichier').waitFor()
  assert.equal(await field(copy).inputValue(), TWO)
  await copy.close()

  const long = `${TWO} `.repeat(20).trim()
  await translate(page, long)
  assert.equal(page.url(), `${url}/translate?to=fr`)
  await page.reload()
  await page.getByText('fichier').first().waitFor()
  assert.equal(await field(page).inputValue(), long)
  await page.getByRole('link', { name: 'Chat' }).click()
  await page.getByRole('link', { name: 'Translate' }).click()
  assert.equal(await field(page).inputValue(), long)
  assert.deepEqual(complaints, [])
  assert.deepEqual(foreign, [])
})

test('a request that is overtaken is given up, and what was translated is not asked for again', async () => {
  await using opened = await openPage('/translate?from=en&to=fr')
  const { page } = opened
  const held = Promise.withResolvers<void>()
  const asked: string[][] = []
  await page.route('**/v2/translate', async (route) => {
    asked.push((route.request().postDataJSON() as { text: string[] }).text)
    if (asked.length === 1) await held.promise
    await route.continue().catch(() => undefined)
  })
  const first = page.waitForRequest('**/v2/translate')
  await field(page).fill('Open the')
  const given = await first
  const failed = page.waitForEvent('requestfailed')
  await field(page).fill('Open the file.')
  assert.equal((await failed).url(), given.url())
  held.resolve()
  await page.getByText('fichier').waitFor()
  assert.deepEqual(asked, [['Open the'], ['Open the file.']])

  const line = 'The program shows a list of all the files that have changed. '.repeat(6).trim()
  await translate(page, `${line}\n`)
  await translate(page, `${line}\nOpen the window.`)
  assert.deepEqual(asked.slice(2), [[line], ['Open the window.']])
})

test('the languages and the texts are swapped', async () => {
  await using opened = await openPage('/translate?from=en&to=fr')
  const { page } = opened
  const french = await translate(page, 'Open the file.')
  await page.getByRole('button', { name: 'Swap the languages and the texts' }).click()
  assert.equal(await field(page).inputValue(), french)
  assert.equal(await page.getByLabel('From').inputValue(), 'fr')
  assert.equal(await page.getByLabel('To', { exact: true }).inputValue(), 'en')
  await page.getByText('Open').waitFor()
})

test('another translation of a sentence takes its place, by keys alone, and stays there', async () => {
  await using opened = await openPage('/translate?from=en&to=fr')
  const { page } = opened
  const before = await translate(page, TWO)
  const sentences = page.locator('.sentence')
  assert.equal(await sentences.count(), 2)
  await sentences.first().focus()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Other translations' })
  await dialog.locator('.alternative').nth(1).waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  assert.equal(await sentences.nth(1).evaluate((element) => element === document.activeElement), true)
  assert.equal(await shown(page).textContent(), before)

  await page.keyboard.press('Enter')
  const other = (await dialog.locator('.alternative').first().textContent()) ?? ''
  await page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'detached' })
  const first = await sentences.first().textContent()
  assert.equal(await shown(page).textContent(), `${first} ${other}`)
  assert.equal(await translate(page, `${TWO} Open the file.`).then((all) => all.startsWith(`${first} ${other} `)), true)
})

test('a glossary is made from a pasted table, goes for the translation, and its deletion is undone', async () => {
  await using opened = await openPage('/translate?to=fr')
  const { page } = opened
  await page.getByRole('button', { name: 'Glossaries' }).click()
  await page.getByRole('button', { name: 'New glossary' }).click()
  await page.getByLabel('Name').fill('Desktop')
  await page.getByRole('dialog').getByLabel('Languages').selectOption('English to French')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Add at least one term with its translation.').waitFor()
  await page.getByLabel('Term 1', { exact: true }).evaluate((input) => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/plain', 'window\tvitrine\nfile\tdossier\n')
    input.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  })
  assert.equal(await page.getByLabel('Translation 2').inputValue(), 'dossier')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('English to French, 2 terms').waitFor()
  await page.getByRole('button', { name: 'Close' }).click()
  assert.equal(await page.getByLabel('From').inputValue(), 'en')
  assert.match(await translate(page, 'Open the file.'), /dossier/)

  await page.getByRole('button', { name: 'Glossaries' }).click()
  await page.getByRole('button', { name: 'Edit “Desktop”' }).click()
  await page.getByLabel('Translation 2').fill('classeur')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('classeur').waitFor()
  assert.deepEqual(await barriers(page), [])
  await page.getByRole('button', { name: 'Delete “Desktop”' }).click()
  await page.getByText('There is none for these languages yet.').waitFor()
  await page.getByRole('button', { name: 'Close' }).click()
  await page.getByText('fichier').waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByLabel('Glossary', { exact: true }).selectOption('Desktop')
  await page.getByText('classeur').waitFor()

  // Whoever leaves has nothing undone.
  await page.getByRole('button', { name: 'Glossaries' }).click()
  await page.getByRole('button', { name: 'Delete “Desktop”' }).click()
  await page.goto(`${url}/translate?to=fr`)
  await page.waitForFunction(async () => {
    const { glossaries } = await (await fetch('/v3/glossaries')).json()
    return glossaries.length === 0
  })
})

test('of several models for the languages one can be chosen', async () => {
  await using opened = await openPage()
  const { page } = opened
  // As if the owner had trained one.
  await page.route('**/v1/models', async (route) => {
    const models = await (await route.fetch()).json()
    const mine = { id: 'mine', task: 'translation', owned_by: 'user', source_language: 'en', target_language: 'fr' }
    await route.fulfill({ json: { ...models, data: [...models.data, mine] } })
  })
  await page.getByRole('link', { name: 'Translate' }).click()
  await page.getByLabel('Model').selectOption('en-fr')
  const asked = page.waitForRequest('**/v2/translate')
  await translate(page, 'Open the file.')
  assert.equal((await asked).postDataJSON().model, 'en-fr')
  await page.waitForURL(/[?]to=fr&model=en-fr#text=/)
  await page.getByRole('button', { name: 'Swap the languages and the texts' }).click()
  await page.getByLabel('Model').waitFor({ state: 'detached' })
})

test('what is in the target’s language already is said to be', async () => {
  await using opened = await openPage('/translate?to=fr')
  const { page } = opened
  const text = 'Ouvrez le fichier et fermez la fenêtre du programme.'
  assert.equal(await translate(page, text), text)
  await page.getByText('The text is in French already.').waitFor()
})

test('languages come when there is somebody who has them', async () => {
  await using opened = await openPage()
  const { page } = opened
  await page.route('**/languages', (route) => route.fulfill({ status: 503, json: { error: 'Nobody.' } }), { times: 1 })
  await page.getByRole('link', { name: 'Translate' }).click()
  await page.getByText('No translation model can be reached just now.').waitFor()
  await field(page).fill('Open the file.')
  await choose(page, 'letter.txt', 'x')
  await page.getByRole('alert').getByText('No language can be translated into just now.').waitFor()
  await page.getByText('fichier').waitFor()
  await page.getByText('No translation model can be reached just now.').waitFor({ state: 'detached' })
})

test('a document is checked before it is sent, translated and downloaded', async () => {
  await using opened = await openPage('/translate?from=en&to=fr')
  const { page } = opened
  const sent: string[] = []
  page.on('request', (request) => request.url().endsWith('/v2/document') && sent.push(request.url()))
  await page.getByLabel('To', { exact: true }).and(page.locator(':enabled')).waitFor()
  await choose(page, 'letter.pdf', 'x')
  await page.getByRole('alert').getByText('“letter.pdf” cannot be translated.').waitFor()
  await choose(page, 'empty.txt', '')
  await page.getByRole('alert').getByText('“empty.txt” is empty.').waitFor()
  assert.deepEqual(sent, [])

  await page.evaluate(() => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File(['Open the file.\n\nClose {x}\n'], 'letter.txt'))
    window.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
  })
  await page.getByText('Translated into French.').waitFor()
  // It is still there after a reload, and after it was fetched.
  await page.reload()
  const name = page.getByRole('button', { name: 'Download' })
  for (let time = 0; time < 2; time++) {
    const [download] = await Promise.all([page.waitForEvent('download'), name.click()])
    assert.equal(download.suggestedFilename(), 'letter.fr.txt')
    assert.match(await readFile(await download.path(), 'utf8'), /fichier.*\n\n.*\{x\}.*\n$/)
  }
})

test('a document on its way is cancelled at the server, too', async () => {
  await using opened = await openPage('/translate?from=en&to=fr')
  const { page } = opened
  await page.route('**/v2/document/doc_*', (route) => route.fulfill({ json: { status: 'translating' } }))
  await page.getByLabel('To', { exact: true }).and(page.locator(':enabled')).waitFor()
  await choose(page, 'letter.txt', 'Open the file.\n')
  await page.getByText('Translating, 0 s so far').waitFor()
  const cancelled = page.waitForResponse('**/cancel')
  await page.getByRole('button', { name: 'Cancel' }).click()
  assert.equal((await cancelled).status(), 204)
  await page.getByText('Cancelled.').waitFor()
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByText('Translating, 0 s so far').waitFor()
})

test('a long text shows how far it is, stops, and goes on from there', async () => {
  await using opened = await openPage('/translate?from=en&to=fr')
  const { page } = opened
  await field(page).waitFor()
  // A server that has translated eight parts, and then says no more; after that the real one.
  await page.evaluate(() => {
    const ask = window.fetch
    window.fetch = async (path, init) => {
      if (path !== '/v2/translate') return ask(path, init)
      window.fetch = ask
      const body = new ReadableStream({
        start(controller) {
          for (let index = 0; index <= 8; index++) {
            const piece = { object: 'translation.piece', index, text: `Partie ${index}.`, done: 5, total: 60 }
            controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(piece)}\n\n`))
          }
          init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason))
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }
  })
  const lines = Array.from({ length: 12 }, (_, i) => `${'Open it. '.repeat(39)}Open ${i + 10}.\n`)
  await field(page).fill(lines.join(''))
  await page.getByText('2,880 of 4,320 characters translated').waitFor()
  await page.keyboard.press('Escape')
  const asked = page.waitForRequest('**/v2/translate')
  await page.getByRole('button', { name: 'Go on' }).click()
  assert.equal((await asked).postDataJSON().text.length, 4)
  await page.getByText('Click a sentence for other translations.').waitFor()
  const translated = (await shown(page).textContent())?.split('\n') ?? []
  assert.equal(translated.length, 13)
  assert.equal(translated[7], 'Partie 7.')
  assert.match(translated[11] ?? '', /Ouvr.*21/)
})

test('what cannot be translated is said where it is, and what is away is asked again', async () => {
  await using opened = await openPage('/translate?to=fr')
  const { page } = opened
  await field(page).fill('Das ist ein ganz gewöhnlicher deutscher Satz über das Wetter.')
  await page.getByText('The text seems to be in German, which cannot be translated into French here.').waitFor()
  await page.route('**/v2/translate', (route) => route.fulfill({ status: 503, json: { message: 'Nobody.' } }), {
    times: 1,
  })
  await field(page).fill('Open the file.')
  await page.getByText('No translation model can be reached just now.').waitFor()
  await page.getByText('fichier').waitFor()
  await page.getByText('No translation model can be reached just now.').waitFor({ state: 'detached' })
  await field(page).fill('a'.repeat(50_001))
  await page.getByText('This is too long to be translated as it is typed.').waitFor()
})

const LOOKS = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 } }],
] as const
for (const [look, options] of LOOKS) {
  test(`nobody is shut out of the translation, nothing overflows: ${look}`, async () => {
    await using opened = await openPage('/translate?from=en&to=fr', options)
    const { page } = opened
    await page.getByRole('button', { name: 'Try an example' }).waitFor()
    assert.deepEqual(await barriers(page), [])
    await translate(page, TWO)
    await page.locator('.sentence').first().click()
    await page.locator('.alternative').first().waitFor()
    assert.deepEqual(await barriers(page), [])
    await page.keyboard.press('Escape')
    await choose(page, 'letter.txt', 'Open the file.\n')
    await page.getByText('Translated into French.').waitFor()
    assert.deepEqual(await barriers(page), [])
  })
}

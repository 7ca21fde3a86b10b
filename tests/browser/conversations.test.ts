import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { url } from '../support/shared.ts'
import { barriers } from './accessibility.ts'
import { answered, openPage } from './page.ts'

/** A conversation of these messages, asked and answered in turns, without waiting for a model. */
async function made(page: Page, title: string, ...texts: string[]): Promise<string> {
  // Which it says only when it is signed in.
  await page.getByText('running here').waitFor()
  return page.evaluate(
    async ([title, texts]) => {
      const post = async (path: string, body: object) => {
        const headers = { 'content-type': 'application/json' }
        const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
        if (!response.ok) throw new Error(await response.text())
        return response.json()
      }
      const items = texts.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }))
      const { id } = await post('/v1/conversations', { metadata: { title } })
      for (let i = 0; i < items.length; i += 20) {
        await post(`/v1/conversations/${id}/items`, { items: items.slice(i, i + 20) })
      }
      return id as string
    },
    [title, texts] as const,
  )
}

const questions = (page: Page) => page.locator('.question .bubble').allTextContents()
const answers = (page: Page) => page.locator('.answer .markdown').allTextContents()

/** Once the newest answer is kept by the server. */
async function kept(page: Page, items: number): Promise<void> {
  await answered(page)
  await page.waitForFunction(async (count) => {
    const response = await fetch(`/v1/conversations/${location.pathname.split('/').at(-1)}/items?limit=100`)
    return (await response.json()).data.length === count
  }, items)
}

test('search finds what was said, and opens it where it was said', async () => {
  await using opened = await openPage()
  const { page } = opened
  const filler = Array.from({ length: 40 }, (_, i) => `Message ${i}\n\n${'and so on. '.repeat(40)}`)
  await made(page, 'Voyage', 'Where to?', 'To the isle of Quidditas, by sea.', ...filler)
  await made(page, 'Nothing of the kind', 'Hello')
  await page.reload()
  await page.getByText('running here').waitFor()
  await page.keyboard.press('Control+k')
  await page.waitForFunction(() => document.activeElement?.id === 'find-conversation')
  await page.keyboard.type('quidditas SEA')
  const row = page.locator('.row')
  await row.locator('small').getByText('To the isle of Quidditas, by sea.').waitFor()
  assert.equal(await row.count(), 1)
  assert.deepEqual(await row.locator('mark').allTextContents(), ['Quidditas', 'sea'])
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  const found = page.locator('.answer').getByText('To the isle of Quidditas')
  await found.waitFor()
  await page.waitForFunction(() => document.activeElement?.classList.contains('answer'))
  const box = await found.boundingBox()
  assert.ok(box && box.y > 0 && box.y < 800, `at ${box?.y}`)
  await page.getByLabel('Search titles and messages').fill('no such words anywhere')
  await page.getByText('No conversation has all of these words.').waitFor()
})

test('an edited question and a new answer leave the earlier ones within reach', async () => {
  await using opened = await openPage()
  const { page, complaints } = opened
  const id = await made(page, 'Colours', 'Name a colour.', 'Blue.')
  await page.goto(`${url}/chat/${id}`)
  await page.locator('.question').hover()
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.locator('.editor textarea').fill('Name a fruit.')
  await page.getByRole('button', { name: 'Send again' }).click()
  await page.locator('.answer.streaming, .answer .facts').first().waitFor()
  await kept(page, 2)
  assert.deepEqual(await questions(page), ['Name a fruit.'])
  await page.locator('.question').getByText('2 / 2').waitFor()
  await page.locator('.question').getByRole('button', { name: 'Earlier version' }).click()
  await page.getByText('Blue.').waitFor()
  assert.deepEqual(await questions(page), ['Name a colour.'])
  await page.getByRole('button', { name: 'Retry' }).click()
  await page.locator('.answer').getByText('2 / 2').waitFor()
  await kept(page, 2)
  assert.deepEqual(await questions(page), ['Name a colour.'])
  await page.reload()
  await page.locator('.answer').getByText('2 / 2').waitFor()
  await page.locator('.answer').getByRole('button', { name: 'Earlier version' }).click()
  await page.locator('.answer').getByText('Blue.').waitFor()
  assert.deepEqual(complaints, [])
})

test('a branch has the messages up to where it was made, and says where it is from', async () => {
  await using opened = await openPage()
  const { page } = opened
  const id = await made(page, 'Rivers', 'Name a river.', 'The Danube.', 'Another.', 'The Rhine.')
  await page.goto(`${url}/chat/${id}`)
  await page.getByText('The Danube.').hover()
  await page.locator('.answer').first().getByRole('button', { name: 'Branch from here' }).click()
  await page.waitForURL((address) => /\/chat\/conv_/.test(address.pathname) && !address.pathname.endsWith(id))
  await page.getByRole('link', { name: 'Branched from “Rivers”' }).waitFor()
  await page.getByText('The Danube.').waitFor()
  assert.deepEqual([await questions(page), (await answers(page)).length], [['Name a river.'], 1])
  await page.getByRole('link', { name: 'Branched from “Rivers”' }).click()
  await page.waitForURL(`${url}/chat/${id}`)
  await page.getByText('The Rhine.').waitFor()
})

test('a conversation is exported from its menu, by the keyboard', async () => {
  await using opened = await openPage('/', { acceptDownloads: true })
  const { page } = opened
  const id = await made(page, 'Lakes', 'Name a lake.', 'Lake *Garda*.')
  await page.goto(`${url}/chat/${id}`)
  const menu = page.getByRole('button', { name: 'Actions for this conversation' })
  const saved = async (entry: string) => {
    await menu.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('menuitem', { name: entry }).waitFor()
    const focused = () => page.evaluate(() => document.activeElement?.textContent)
    for (let i = 0; i < 8 && (await focused()) !== entry; i++) await page.keyboard.press('ArrowDown')
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') }
  }
  assert.deepEqual(await saved('Export as Markdown'), {
    name: 'Lakes.md',
    text: '# Lakes\n\n## User\n\nName a lake.\n\n## Assistant\n\nLake *Garda*.\n',
  })
  const json = await saved('Export as JSON')
  assert.equal(json.name, 'Lakes.json')
  assert.equal(JSON.parse(json.text).items.length, 2)
  await menu.focus()
  await page.keyboard.press('Enter')
  await page.getByRole('menuitem', { name: 'Rename' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('menu').waitFor({ state: 'detached' })
  assert.equal(await page.evaluate(() => document.activeElement?.ariaLabel), 'Actions for this conversation')
})

test('whoever has a link reads the conversation without signing in, until the link is revoked', async () => {
  await using opened = await openPage()
  const { page } = opened
  const id = await made(page, 'Seas', 'Name a sea.', 'The **Aral** Sea.')
  await page.goto(`${url}/chat/${id}`)
  await page.getByRole('button', { name: 'Share', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Share this conversation' })
  await dialog.getByRole('button', { name: 'Make a link' }).click()
  const link = await dialog.getByLabel('Link', { exact: true }).inputValue()
  assert.match(link, new RegExp(`^${url}/shared/`))

  const reader = await (await page.context().browser())?.newContext()
  assert.ok(reader)
  const shared = await reader.newPage()
  const asked: string[] = []
  shared.on('request', (request) => asked.push(new URL(request.url()).pathname))
  await shared.goto(link)
  await shared.getByRole('heading', { name: 'Seas' }).waitFor()
  await shared.locator('.answer strong').getByText('Aral').waitFor()
  assert.equal(await shared.locator('.question').textContent(), 'Name a sea.')
  assert.equal(await shared.getByRole('button').count(), 0)
  assert.deepEqual(
    asked.filter((path) => !path.startsWith('/assets/') && path !== '/favicon.ico'),
    [new URL(link).pathname, `/v1${new URL(link).pathname}`],
  )
  assert.deepEqual(await reader.cookies(), [])

  await dialog.getByRole('button', { name: 'Revoke' }).click()
  await dialog.getByRole('button', { name: 'Revoke' }).waitFor({ state: 'detached' })
  await shared.reload()
  await shared.getByText('This link leads nowhere.').waitFor()
  assert.equal(await shared.getByText('Aral').count(), 0)
})

test('without a runner the page says so, still finds and exports, and asks again by itself', async () => {
  await using opened = await openPage()
  const { page } = opened
  const id = await made(page, 'Stars', 'Name a star.', 'Betelgeuse.')
  await page.goto(`${url}/chat/${id}`)
  await page.getByText('Betelgeuse.').waitFor()
  const error = { message: 'No runner is there.', type: 'server_error', param: null, code: 'runner_unavailable' }
  const away = { status: 503, headers: { 'retry-after': '1' } }
  await page.route('**/health', (route) => route.fulfill({ ...away, json: { status: 'starting' } }))
  await page.route('**/v1/responses', (route) => route.fulfill({ ...away, json: { error } }))
  await page.getByLabel('Your message').fill('And another?')
  await page.keyboard.press('Enter')
  await page.getByText('The question is kept, and asked again by itself.').waitFor()
  await page.getByText('Reading, searching and exporting work meanwhile').waitFor()
  await page.getByLabel('Search titles and messages').fill('betelgeuse')
  await page.locator('.row small mark').first().waitFor()
  await page.unroute('**/v1/responses')
  await page.unroute('**/health')
  await page.locator('.answer.streaming, .answer .facts').first().waitFor()
  await kept(page, 4)
  assert.deepEqual(await questions(page), ['Name a star.', 'And another?'])
  assert.equal(await page.locator('.away').count(), 0)
})

for (const [what, options] of [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 } }],
] as const) {
  test(`nobody is shut out of a conversation’s menu, links and versions: ${what}`, async () => {
    await using opened = await openPage('/', options)
    const { page } = opened
    const origin = await made(page, 'A long title that fills the head of the conversation, and more', 'a', 'b', 'c')
    const branch = await page.evaluate(async (id) => {
      const post = async (path: string, body: object) => {
        const headers = { 'content-type': 'application/json' }
        return (await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })).json()
      }
      const path = `/v1/conversations/${id}`
      const { data } = await (await fetch(`${path}/items?order=asc`)).json()
      const branch = await post(`${path}/branch`, { item_id: data[2].id })
      await post(`/v1/conversations/${branch.id}/items`, {
        previous_item_id: 'root',
        items: [{ role: 'user', content: 'A' }],
      })
      return branch.id as string
    }, origin)
    await page.goto(`${url}/chat/${branch}`)
    await page.getByText('2 / 2').waitFor()
    await page.getByRole('button', { name: 'Actions for this conversation' }).click()
    await page.getByRole('menu').waitFor()
    assert.deepEqual(await barriers(page), [])
    await page.getByRole('menuitem', { name: 'Share' }).click()
    await page.getByRole('button', { name: 'Make a link' }).click()
    const link = page.getByLabel('Link', { exact: true })
    await link.waitFor()
    assert.deepEqual(await barriers(page), [])
    await page.goto(await link.inputValue())
    await page.getByRole('heading').waitFor()
    assert.deepEqual(await barriers(page), [])
  })
}

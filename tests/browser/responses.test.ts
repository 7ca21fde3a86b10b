/** Answers that outlive the page that asked for them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { url } from '../support/shared.ts'
import { answered, ask, openPage } from './page.ts'

const STORY = 'Tell me a long story about a lighthouse, a storm and a cat.'

const shown = (page: Page) => page.locator('.answer .markdown').last().textContent()

test('an answer goes on through a reload, and both tabs follow it', async () => {
  // Long enough to be still under way when both tabs have loaded.
  await using opened = await openPage('/', {}, 500)
  const { page, complaints } = opened
  await ask(page, STORY, { wait: false })
  await page.locator('.answer .markdown p').first().waitFor()
  const other = await page.context().newPage()
  await other.goto(page.url())
  await page.reload()
  await Promise.all([page, other].map((tab) => tab.locator('.answer.streaming').waitFor()))
  await Promise.all([answered(page), answered(other)])
  const text = await shown(page)
  assert.ok((text?.length ?? 0) > 100)
  assert.equal(await shown(other), text)
  await page.reload()
  await answered(page)
  assert.equal(await shown(page), text)
  assert.deepEqual(complaints, [])
})

test('a tab that is open sees what is asked in another, and can stop it', async () => {
  await using opened = await openPage('/', {}, 500)
  const { page } = opened
  await ask(page, 'Say hello.')
  const other = await page.context().newPage()
  await other.goto(page.url())
  await answered(other)
  await ask(page, STORY, { wait: false })
  await other.locator('.answer.streaming .markdown p').first().waitFor()
  await other.getByRole('button', { name: 'Stop' }).click()
  await Promise.all([answered(page), answered(other)])
  await Promise.all([page, other].map((tab) => tab.getByText('Stopped', { exact: true }).waitFor()))
})

test('an answer that is cut at its limit says so in every tab, and where it is shared', async () => {
  await using opened = await openPage('/', {}, 5)
  const { page, complaints } = opened
  await ask(page, STORY)
  const other = await page.context().newPage()
  await other.goto(page.url())
  const saysSo = async (tab: Page) => {
    await tab.getByText('The answer reached the limit of its length.').waitFor()
    assert.equal(await tab.getByText('Stopped', { exact: true }).count(), 0)
  }
  await Promise.all([saysSo(page), saysSo(other)])
  await page.reload()
  await saysSo(page)
  const id = new URL(page.url()).pathname.split('/').at(-1)
  const { url: shared } = await page.evaluate(
    async (path) => (await (await fetch(path, { method: 'POST' })).json()) as { url: string },
    `/v1/conversations/${id}/share`,
  )
  await other.goto(shared)
  await saysSo(other)
  assert.deepEqual(complaints, [])
})

test('a broken line is taken up where it broke', async () => {
  await using opened = await openPage('/', {}, 40)
  const { page } = opened
  let tries = 0
  // The first reader gets half of it; the next ones nothing.
  await page.route('**/v1/responses', async (route) => {
    // As the browser sends it: only the page's own origin may ask.
    const response = await route.fetch({ headers: { ...(await route.request().allHeaders()), origin: url } })
    const body = await response.text()
    await route.fulfill({ response, body: body.slice(0, body.length >> 1) })
  })
  await page.route('**/v1/responses/*?stream=true*', (route) => (tries++ < 2 ? route.abort() : route.continue()))
  await ask(page, STORY, { wait: false })
  await page.getByText('The connection is gone').waitFor()
  await answered(page)
  assert.equal(tries, 3)
  const text = await shown(page)
  await page.reload()
  await answered(page)
  assert.equal(await shown(page), text)
})

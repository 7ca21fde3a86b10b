import assert from 'node:assert/strict'
import { test } from 'node:test'
import { url } from '../support/shared.ts'
import { barriers } from './accessibility.ts'
import { openPage } from './page.ts'

test('the keys have an address, reached from the settings; what was typed stays', async () => {
  await using opened = await openPage()
  const { page } = opened
  await page.getByLabel('Your message').fill('half a question')
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('link', { name: 'API keys and usage' }).click()
  await page.waitForURL(`${url}/keys`)
  await page.getByRole('heading', { name: 'API keys and usage' }).waitFor()
  assert.deepEqual(await barriers(page), [])
  await page.goBack()
  await page.getByText('What would you like to know?').waitFor()
  assert.equal(await page.getByLabel('Your message').inputValue(), 'half a question')
})

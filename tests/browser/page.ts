/** A real browser on the Tandem that `npm test` starts. */
import chromium from '@sparticuz/chromium'
import { type Browser, type BrowserContextOptions, type Page, chromium as playwright } from 'playwright-core'
import { url } from '../support/shared.ts'

export interface OpenPage extends AsyncDisposable {
  readonly page: Page
  /** What the console and the security policy complained of. */
  readonly complaints: readonly string[]
  /** Requests to any other origin. */
  readonly foreign: readonly string[]
}

const DESKTOP = { width: 1280, height: 800 }

/** As many tokens as an answer has here unless a test asks for more: a small model may go on for minutes. */
const ANSWER_TOKENS = 60

/** A new browser with nothing kept but how long an answer may be, at the page's address. */
export function openPage(
  path = '/',
  options: BrowserContextOptions = {},
  maxTokens = ANSWER_TOKENS,
): Promise<OpenPage> {
  return openPageOf(url, { path, options, maxTokens })
}

/** A long answer takes its time while other tests run beside. */
const ANSWER_MS = 90_000

export interface PageOptions {
  readonly path: string
  readonly options?: BrowserContextOptions
  readonly maxTokens?: number
}

/** As `openPage`, of any Tandem. */
export async function openPageOf(
  base: string,
  { path, options = {}, maxTokens = ANSWER_TOKENS }: PageOptions,
): Promise<OpenPage> {
  const browser: Browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: chromium.args,
    headless: true,
  })
  const context = await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', locale: 'en-US', ...options })
  await context.addInitScript((settings) => {
    if (localStorage.getItem('tandem-settings') === null) localStorage.setItem('tandem-settings', settings)
  }, JSON.stringify({ maxTokens }))
  const page = await context.newPage()
  const complaints: string[] = []
  const foreign: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== base && /^(?:http|ws)/.test(request.url())) foreign.push(request.url())
  })
  await page.goto(base + path)
  await page.locator('#message, .section-head h1').first().waitFor()
  return { page, complaints, foreign, [Symbol.asyncDispose]: () => browser.close() }
}

/** Asks, and waits for the answer to end unless told not to. */
export async function ask(page: Page, question: string, { wait = true } = {}): Promise<void> {
  await page.getByLabel('Your message').fill(question)
  await page.keyboard.press('Enter')
  await page.locator('.answer').last().waitFor()
  if (wait) await answered(page)
}

export async function answered(page: Page): Promise<void> {
  await page.locator('.answer:last-child:not(.streaming)').waitFor({ timeout: ANSWER_MS })
}

/** The page's own way of running models, in Chromium, on a page that the edge serves with its headers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import chromium from '@sparticuz/chromium'
import { chromium as playwright } from 'playwright-core'
import { build } from 'vite'
import { startEdge } from '#edge/testing/edge.ts'
import { copyBundledModels } from '#models/bundled/files.ts'
import { fileOf } from '../models.ts'
import type { Host, Tensors } from './host.ts'

const ROOT = path.join(import.meta.dirname, '..', '..', '..')
const PAGE = path.join(import.meta.dirname, '..', 'page')

type Floats = Record<string, { readonly data: Float32Array; readonly shape: readonly number[] }>
/** On the page. */
declare const openModel: (file: { sha256: string; path: string }) => Promise<{ run(inputs: Floats): Promise<Floats> }>
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> }

export interface BrowserHost extends Host {
  /** What the console and the security policy complained of. */
  readonly complaints: readonly string[]
  /** The addresses that were asked for. */
  readonly requests: readonly string[]
  /** Whether the page itself may compile WebAssembly. */
  compiles(): Promise<boolean>
}

/** @param files models that may be run, by their hash, beside those that ship with Tandem */
export async function startBrowser(files: ReadonlyMap<string, Uint8Array>): Promise<BrowserHost> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tandem-models-page-'))
  await build({
    configFile: path.join(ROOT, 'web', 'vite.config.ts'),
    root: PAGE,
    build: { outDir: folder },
    logLevel: 'error',
  })
  await copyBundledModels(path.join(folder, 'models'))
  for (const [sha256, bytes] of files) await writeFile(path.join(folder, 'models', `${sha256}.onnx`), bytes)
  const edge = await startEdge({ page: folder })
  const browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: chromium.args,
    headless: true,
  })
  const page = await browser.newPage()
  const complaints: string[] = []
  const requests: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => requests.push(new URL(request.url()).pathname))
  await page.goto(edge.url)
  return {
    name: 'a browser',
    complaints,
    requests,
    compiles: () =>
      page.evaluate(() => {
        const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
        return WebAssembly.compile(empty).then(
          () => true,
          () => false,
        )
      }),
    run: (model, inputs) =>
      page.evaluate(
        async ({ sha256, inputs }) => {
          const opened = await openModel({ sha256, path: `/models/${sha256}.onnx` })
          const tensors = Object.entries(inputs).map(([name, { data, shape }]) => [
            name,
            { data: Float32Array.from(data), shape },
          ])
          const outputs = await opened.run(Object.fromEntries(tensors))
          const told = Object.entries(outputs).map(([name, { data, shape }]) => [name, { data: [...data], shape }])
          return Object.fromEntries(told) as Tensors
        },
        { sha256: fileOf(model).sha256, inputs },
      ),
    async [Symbol.asyncDispose]() {
      await browser.close()
      await edge.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

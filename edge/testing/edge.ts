/**
 * The whole edge for a test: the Worker in workerd with a real D1 and the page's files, behind the socket that
 * `npm start` puts in front of it, and a stub runner behind it.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { Miniflare, type MiniflareOptions, Response as HandlerResponse } from 'miniflare'
import { copyBundledModels } from '#models/bundled/files.ts'
import type { ErrorDetail } from '#protocol/error.ts'
import { DIRECT_ENTRYPOINT, openFront } from '../host/front.ts'
import type { Database } from '../storage/database.ts'
import { createKey, LOCAL_OWNER, type NewKey } from '../storage/keys.ts'
import { applyMigrations } from '../storage/migrate.ts'
import { bundleWorker } from './bundle.ts'
import { RUNNER_SECRET, type StubRunner, startStubRunner } from './stub-runner.ts'

const EDGE = path.join(import.meta.dirname, '..')

export interface EdgeOptions {
  /** As if bound to loopback, where the page signs itself in. */
  loopback?: boolean
  /** The longest silence of the runner. */
  runnerTimeoutMs?: number
  /** Bytes that the disk is said to have left. */
  room?: () => number
  /** Instead of the stub. */
  runnerUrl?: string
  /** Folder of the page's files, instead of a small page that the edge makes and removes. */
  page?: string
}

export interface Ask {
  method?: string
  /** Sent as JSON. */
  body?: unknown
  /** Sent as it is, instead. */
  form?: FormData
  headers?: Record<string, string>
  /** Null: none. Default: the edge's own, with all scopes. */
  key?: string | null
  signal?: AbortSignal
}

export interface RawAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

export interface Edge {
  readonly url: string
  readonly port: number
  /** The Worker's own, without the socket in front of it: for measuring. */
  readonly direct: { readonly host: string; readonly port: number }
  readonly runner: StubRunner
  readonly database: Database
  /** What the first run would make: all scopes, the local owner. */
  readonly key: string
  /** What the Worker logged. */
  readonly logs: readonly string[]
  ask(path: string, ask?: Ask): Promise<Response>
  /** As bytes on the wire: the path as it stands, and any Host. */
  raw(path: string, ask?: Omit<Ask, 'signal' | 'form'>): Promise<RawAnswer>
  /** As if somebody had put it into the object store. */
  putObject(name: string, contents: Uint8Array | string): Promise<void>
  /** The names in the object store that begin so, in order. */
  listObjects(prefix: string): Promise<string[]>
  /** Names of what lies in the object store under this prefix. */
  objects(prefix: string): Promise<string[]>
  newKey(options?: Partial<NewKey>): Promise<{ id: string; key: string }>
  /** Ends workerd by SIGKILL and starts it again, with what it had kept. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export async function startEdge({
  loopback = false,
  runnerTimeoutMs,
  room,
  runnerUrl,
  page,
}: EdgeOptions = {}): Promise<Edge> {
  const [{ script, wasm }, files] = await Promise.all([bundleWorker(), page ?? pageFiles()])
  // Last: a Worker that cannot be bundled leaves no open server for the test to wait for.
  const runner = await startStubRunner()
  const logs: string[] = []
  const options: MiniflareOptions = {
    host: '127.0.0.1',
    port: 0,
    logRequests: false,
    cf: false,
    telemetry: { enabled: false },
    enableDevRegistry: false,
    handleStructuredLogs: ({ message }) => logs.push(message),
    workers: [
      {
        config: {
          name: 'tandem',
          compatibilityDate: '2026-11-01',
          compatibilityFlags: ['enable_request_signal'],
          manifest: {
            mainModule: 'worker.js',
            modules: {
              'worker.js': { type: 'esm', contents: script },
              ...Object.fromEntries(
                Object.entries(wasm).map(([name, contents]) => [name, { type: 'wasm' as const, contents }]),
              ),
            },
          },
          exports: {
            Account: { type: 'durable-object', storage: 'sqlite' },
            Fleet: { type: 'durable-object', storage: 'sqlite' },
            LedgerOutbox: { type: 'durable-object', storage: 'sqlite' },
            StoredResponse: { type: 'durable-object', storage: 'sqlite' },
            TrainingJob: { type: 'durable-object', storage: 'sqlite' },
            TranslatedDocument: { type: 'durable-object', storage: 'sqlite' },
          },
          assets: {
            directory: files,
            runWorkerFirst: true,
            hasUserWorker: true,
            htmlHandling: 'none',
            notFoundHandling: 'none',
          },
          env: {
            DB: { type: 'd1' },
            OBJECTS: { type: 'r2' },
            ACCOUNTS: { type: 'durable-object', worker: 'tandem', exportName: 'Account' },
            DOCUMENTS: { type: 'durable-object', worker: 'tandem', exportName: 'TranslatedDocument' },
            FLEET: { type: 'durable-object', worker: 'tandem', exportName: 'Fleet' },
            JOBS: { type: 'durable-object', worker: 'tandem', exportName: 'TrainingJob' },
            LEDGER: { type: 'durable-object', worker: 'tandem', exportName: 'LedgerOutbox' },
            RESPONSES: { type: 'durable-object', worker: 'tandem', exportName: 'StoredResponse' },
            ASSETS: { type: 'assets' },
            RUNNER_URL: { type: 'text', value: runnerUrl ?? runner.url },
            RUNNER_SECRET: { type: 'text', value: RUNNER_SECRET },
            LOOPBACK: { type: 'text', value: loopback ? '1' : '0' },
            ...(room && { ROOM: { type: 'fetcher' as const, handler: () => HandlerResponse.json(room()) } }),
            RUNNER_TIMEOUT_MS: { type: 'text', value: String(runnerTimeoutMs ?? 10_000) },
          },
        },
        dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0, entrypoint: DIRECT_ENTRYPOINT }] },
      },
    ],
  }
  const miniflare = new Miniflare(options)
  const entry = async () => {
    await miniflare.ready
    const { hostname, port } = await miniflare.unsafeGetDirectURL('tandem', DIRECT_ENTRYPOINT)
    return { host: hostname, port: Number(port) }
  }
  const upstream = await entry()
  const front = await openFront({ host: '127.0.0.1', port: 0, upstream })
  let database: Database = await miniflare.getD1Database('DB')
  let objects = await miniflare.getR2Bucket('OBJECTS')
  await applyMigrations(database, await readMigrations())
  const { key } = await createKey(database, { name: 'first', scopes: ['*'], owner: LOCAL_OWNER })
  const url = `http://127.0.0.1:${front.port}`

  const headersOf = (ask: Ask): Record<string, string> => ({
    ...(ask.key === null ? {} : { authorization: `Bearer ${ask.key ?? key}` }),
    ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...ask.headers,
  })
  const bodyOf = ({ body }: Ask): string | null => {
    if (body === undefined) return null
    return typeof body === 'string' ? body : JSON.stringify(body)
  }

  return {
    url,
    port: front.port,
    direct: upstream,
    runner,
    get database() {
      return database
    },
    key,
    logs,
    ask: (target, ask = {}) =>
      fetch(url + target, {
        method: ask.method ?? (ask.body === undefined && !ask.form ? 'GET' : 'POST'),
        headers: headersOf(ask),
        body: ask.form ?? bodyOf(ask),
        signal: ask.signal ?? null,
        redirect: 'manual',
      }),
    raw: (target, ask = {}) =>
      new Promise((resolve, reject) => {
        const request = httpRequest({
          host: '127.0.0.1',
          port: front.port,
          path: target,
          method: ask.method ?? (ask.body === undefined ? 'GET' : 'POST'),
          headers: headersOf(ask),
          agent: false,
        })
        request.once('error', reject)
        request.once('response', async (response) => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: await text(response) })
        })
        request.end(bodyOf(ask) ?? undefined)
      }),
    async putObject(name, contents) {
      await objects.put(name, contents)
    },
    async objects(prefix) {
      return (await objects.list({ prefix })).objects.map(({ key }) => key)
    },
    listObjects: async (prefix) => (await objects.list({ prefix })).objects.map(({ key }) => key),
    newKey: (options = {}) => createKey(database, { name: 'test', scopes: ['*'], owner: 'someone', ...options }),
    async kill() {
      await miniflare.setOptions(options)
      Object.assign(upstream, await entry())
      database = await miniflare.getD1Database('DB')
      objects = await miniflare.getR2Bucket('OBJECTS')
    },
    async stop() {
      await front.close()
      await miniflare.dispose()
      await Promise.all([runner.stop(), page ?? rm(files, { recursive: true, force: true })])
    },
  }
}

/** The error of an answer, which has to be one. */
export async function errorOf(response: Response): Promise<ErrorDetail & { status: number }> {
  const { error } = (await response.json()) as { error: ErrorDetail }
  return { ...error, status: response.status }
}

/** A D1 without any table. */
export async function emptyDatabase(): Promise<{ database: Database } & AsyncDisposable> {
  const miniflare = new Miniflare({
    cf: false,
    telemetry: { enabled: false },
    enableDevRegistry: false,
    workers: [
      {
        config: {
          name: 'empty',
          compatibilityDate: '2026-11-01',
          manifest: { mainModule: 'w.js', modules: { 'w.js': { type: 'esm', contents: 'export default {}' } } },
          env: { DB: { type: 'd1' } },
        },
      },
    ],
  })
  const database: Database = await miniflare.getD1Database('DB')
  return { database, [Symbol.asyncDispose]: () => miniflare.dispose() }
}

export async function readMigrations() {
  const folder = path.join(EDGE, 'storage', 'migrations')
  const names = await readdir(folder)
  return Promise.all(names.map(async (name) => ({ name, sql: await readFile(path.join(folder, name), 'utf8') })))
}

/** As the page's build lays them out. */
async function pageFiles(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tandem-page-'))
  await mkdir(path.join(folder, 'assets'))
  await copyBundledModels(path.join(folder, 'models'))
  await writeFile(path.join(folder, 'index.html'), '<!doctype html><title>Tandem</title>')
  await writeFile(path.join(folder, 'assets', 'index-abc123.js'), `console.log('${'a'.repeat(2000)}')`)
  return folder
}

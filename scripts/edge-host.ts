/**
 * The process that holds the edge: the built Worker in workerd, through Miniflare, with its data in the home, and the
 * socket in front of it.
 *
 * It gets an `EdgeHostOptions` as its one argument (JSON) and the runner's secret in its environment, sends an
 * `EdgeHostMessage` when it serves or cannot, and ends with its parent.
 */
import { readdir, readFile, statfs } from 'node:fs/promises'
import path from 'node:path'
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  Response,
  type V4MiniflareOptions,
  type V4ModuleDefinition,
} from 'miniflare'
import type { SourcelessWorkerOptions } from 'wrangler'
import { DIRECT_ENTRYPOINT, type Front, openFront } from '#edge/host/front.ts'
import type { Database } from '#edge/storage/database.ts'
import { applyMigrations, type Migration } from '#edge/storage/migrate.ts'
import { WORKER_OPTIONS } from './build.ts'
import { portError } from './door.ts'
import { outputOf } from './fingerprint.ts'
import { ensureLocalKey } from './local-key.ts'
import { ROOT } from './settings.ts'
import { reason, StartError } from './start-error.ts'

export interface EdgeHostOptions {
  readonly host: string
  readonly port: number
  readonly loopback: boolean
  /** Where a runner is. */
  readonly runnerUrl: string
  /** Folder of what the edge keeps. */
  readonly data: string
  /** File of the API key. */
  readonly key: string
}

export type EdgeHostMessage =
  | { readonly type: 'edge-serving' }
  | { readonly type: 'edge-failed'; readonly message: string }

const WORKER = 'tandem'
const MAIN_MODULE = 'worker.js'
/** As wrangler sorts the files that a Worker imports. */
const MODULE_TYPES: Readonly<Record<string, V4ModuleDefinition['type']>> = {
  '.js': 'ESModule',
  '.wasm': 'CompiledWasm',
  '.txt': 'Text',
  '.html': 'Text',
  '.sql': 'Text',
  '.bin': 'Data',
  '.onnx': 'Data',
}
const MIGRATIONS = path.join(ROOT, 'edge', 'storage', 'migrations')

async function main(): Promise<void> {
  const options = JSON.parse(process.argv[2] ?? '') as EdgeHostOptions
  const secret = process.env.RUNNER_SECRET ?? ''
  const miniflare = new Miniflare(convertV4MiniflareOptions(await miniflareOptions(options, secret)))
  let front: Front | undefined
  for (const signal of ['SIGTERM', 'SIGINT', 'disconnect'] as const) {
    // Miniflare's own listener exits at once and leaves workerd's end to nobody.
    process.removeAllListeners(signal)
    process.once(signal, () => void stop().finally(() => process.exit(0)))
  }
  async function stop(): Promise<void> {
    await front?.close()
    await miniflare.dispose()
  }
  try {
    await miniflare.ready
    const { hostname, port } = await miniflare.unsafeGetDirectURL(WORKER, DIRECT_ENTRYPOINT)
    const database: Database = await miniflare.getD1Database('DB')
    await applyMigrations(database, await readMigrations())
    await ensureLocalKey(database, options.key)
    front = await openFront({
      host: options.host,
      port: options.port,
      upstream: { host: hostname, port: Number(port) },
    }).catch((error: unknown) => {
      throw portError(options.host, options.port, error)
    })
  } catch (error) {
    await stop()
    throw explain(error)
  }
  tell({ type: 'edge-serving' })
}

async function miniflareOptions(options: EdgeHostOptions, secret: string): Promise<V4MiniflareOptions> {
  const built = outputOf('edge')
  const text = await readFile(path.join(built, WORKER_OPTIONS), 'utf8')
  const { modulesRules: _, ...worker } = JSON.parse(text) as SourcelessWorkerOptions
  return {
    host: '127.0.0.1',
    port: 0,
    log: new Log(LogLevel.WARN),
    handleStructuredLogs: ({ level, message }) => (level === 'error' ? console.error(message) : console.log(message)),
    logRequests: false,
    cf: false,
    telemetry: { enabled: false },
    resourcePersistencePath: options.data,
    workers: [
      {
        ...worker,
        name: WORKER,
        unsafeDirectSockets: [{ host: '127.0.0.1', port: 0, entrypoint: DIRECT_ENTRYPOINT }],
        modulesRoot: built,
        modules: await modulesIn(built),
        // Named after their bindings: what wrangler.toml calls them in an account must not decide where data lies here.
        serviceBindings: { ROOM: () => bytesFree(options.data) },
        d1Databases: Object.keys(worker.d1Databases ?? {}),
        r2Buckets: Object.keys(worker.r2Buckets ?? {}),
        bindings: {
          ...(worker.bindings as Readonly<Record<string, string>>),
          RUNNER_URL: options.runnerUrl,
          RUNNER_SECRET: secret,
          LOOPBACK: options.loopback ? '1' : '0',
        },
      },
    ],
  }
}

/** How much the disk of what the edge keeps has left. */
async function bytesFree(folder: string): Promise<Response> {
  const { bavail, bsize } = await statfs(folder)
  return Response.json(bavail * bsize)
}

/** The Worker's modules, its main one first. */
async function modulesIn(folder: string): Promise<V4ModuleDefinition[]> {
  const modules = (await readdir(folder)).flatMap((name): V4ModuleDefinition[] => {
    const type = MODULE_TYPES[path.extname(name)]
    return type === undefined || name === MAIN_MODULE ? [] : [{ type, path: path.join(folder, name) }]
  })
  return [{ type: 'ESModule', path: path.join(folder, MAIN_MODULE) }, ...modules]
}

async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql'))
  return Promise.all(names.map(async (name) => ({ name, sql: await readFile(path.join(MIGRATIONS, name), 'utf8') })))
}

function explain(error: unknown): StartError {
  if (error instanceof StartError) return error
  return new StartError(`The edge could not start: ${reason(error)}`, { cause: error })
}

function tell(message: EdgeHostMessage): void {
  process.send?.(message)
}

main().catch((error: unknown) => {
  const message = error instanceof StartError ? error.message : `The edge could not start: ${String(error)}`
  console.error(error instanceof StartError && error.cause === undefined ? error.message : error)
  tell({ type: 'edge-failed', message })
  process.disconnect?.()
  process.exitCode = 1
})

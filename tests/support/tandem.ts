/** Starts a real Tandem for a test: `node scripts/start.ts`, as `npm start` does, on a free port and a home of its own. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Child, type ChildEnd, describeEnd } from '#scripts/child-process.ts'
import { descendantsOf, type RunningProcess, runningProcesses } from './processes.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Kept between runs, so that only the first one fetches a model. */
export const TEST_MODELS = process.env.TANDEM_MODELS ?? path.join(ROOT, '.tandem', 'models')
const READY = /^Tandem is ready: (\S+) {2}\(key: (.+)\)$/
const MS_BETWEEN_LOOKS = 50

type Environment = Readonly<Record<string, string>> | undefined

export interface TandemOptions {
  /** Without it, a new one that is removed at the end. */
  readonly home?: string
  readonly env?: Environment
  /** Called with each line that it prints. */
  readonly onLine?: (line: string) => void
  /** Aborted to give up the start. */
  readonly signal?: AbortSignal
}

interface Ready {
  readonly url: string
  readonly key: string
  readonly keyFile: string
  readonly home: string
  readonly removeHome: boolean
}

export class TestTandem {
  readonly url: string
  readonly key: string
  readonly keyFile: string
  readonly home: string
  readonly #child: Child
  readonly #lines: string[]
  readonly #removeHome: boolean

  constructor(child: Child, lines: string[], ready: Ready) {
    this.#child = child
    this.#lines = lines
    this.url = ready.url
    this.key = ready.key
    this.keyFile = ready.keyFile
    this.home = ready.home
    this.#removeHome = ready.removeHome
  }

  /** What it has printed so far. */
  get lines(): readonly string[] {
    return this.#lines
  }

  /** The process of the supervisor. */
  get pid(): number {
    assert.ok(this.#child.pid !== undefined)
    return this.#child.pid
  }

  get ended(): Promise<ChildEnd> {
    return this.#child.ended
  }

  /** The supervisor and all that it started. */
  processes(): RunningProcess[] {
    return [...runningProcesses().filter(({ pid }) => pid === this.pid), ...descendantsOf(this.pid)]
  }

  /** The one process of it whose command line holds `text`. */
  find(text: string): RunningProcess {
    const found = this.processes().filter(({ command }) => command.includes(text))
    assert.equal(found.length, 1, `processes with ${text}: ${JSON.stringify(found)}`)
    return found[0] as RunningProcess
  }

  fetch(route: string, init: RequestInit & { json?: unknown } = {}): Promise<Response> {
    const { json, ...rest } = init
    const headers = new Headers(init.headers)
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${this.key}`)
    if (json === undefined) return fetch(`${this.url}${route}`, { ...rest, headers })
    headers.set('content-type', 'application/json')
    return fetch(`${this.url}${route}`, { method: 'POST', ...rest, headers, body: JSON.stringify(json) })
  }

  /** Resolves when `GET /health` says ok again. */
  async healthy(): Promise<void> {
    while (!(await isOk(`${this.url}/health`))) await delay(MS_BETWEEN_LOOKS)
  }

  /** Stops it and sees that nothing of it is left. Returns how it ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ChildEnd> {
    const processes = this.processes()
    process.kill(this.pid, signal)
    const end = await this.#child.ended
    await gone(processes)
    return end
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.processes().length > 0) await this.stop()
    if (this.#removeHome) await rm(this.home, { recursive: true, force: true })
  }
}

/** Resolves when none of these processes is there any more; the test's own time limit is the limit. */
export async function gone(processes: readonly RunningProcess[]): Promise<void> {
  const left = () => {
    const running = new Map(runningProcesses().map((found) => [found.pid, found.command]))
    return processes.some(({ pid, command }) => running.get(pid) === command)
  }
  while (left()) await delay(MS_BETWEEN_LOOKS)
}

async function isOk(url: string): Promise<boolean> {
  const response = await fetch(url).catch(() => undefined)
  await response?.body?.cancel()
  return response?.ok === true
}

/** Starts one and resolves when it says that it is ready. Rejects with what it printed if it ends instead. */
export async function startTandem(options: TandemOptions = {}): Promise<TestTandem> {
  const home = options.home ?? (await mkdtemp(path.join(tmpdir(), 'tandem-test-')))
  const lines: string[] = []
  const ready = Promise.withResolvers<RegExpExecArray>()
  const child = launch(home, options.env, (line) => {
    lines.push(line)
    options.onLine?.(line)
    const match = READY.exec(line)
    if (match) ready.resolve(match)
  })
  options.signal?.addEventListener('abort', () => void child.stop())
  const removeHome = options.home === undefined
  const match = await Promise.race([ready.promise, child.ended])
  if (!Array.isArray(match)) {
    if (removeHome) await rm(home, { recursive: true, force: true })
    throw new Error(`Tandem ended (${describeEnd(match)}) instead of starting:\n${match.output}`)
  }
  const [, url = '', keyFile = ''] = match
  const key = (await readFile(keyFile, 'utf8')).trim()
  return new TestTandem(child, lines, { url, key, keyFile, home, removeHome })
}

/** Runs one that is expected not to start. */
export function failToStart(home: string, env: Environment): Promise<ChildEnd> {
  return launch(home, env, () => undefined).ended
}

function launch(home: string, env: Environment, onLine: (line: string) => void): Child {
  return new Child({
    args: [path.join(ROOT, 'scripts', 'start.ts')],
    env: { ...process.env, PORT: '0', TANDEM_HOME: home, TANDEM_MODELS: TEST_MODELS, ...env },
    cwd: ROOT,
    onLine,
  })
}

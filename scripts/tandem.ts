/** One running Tandem: its steps, its two processes, and its end. */
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Child, type ChildEnd, type ChildOptions, describeEnd } from './child-process.ts'
import { freePort, openDoor } from './door.ts'
import type { EdgeHostMessage, EdgeHostOptions } from './edge-host.ts'
import { isBuilt } from './fingerprint.ts'
import { openHome } from './home.ts'
import { LogFile } from './log-file.ts'
import { pullDefaultModel } from './pull.ts'
import { duration, type Reporter } from './reporter.ts'
import { localUrl, ROOT, type Settings } from './settings.ts'
import { StartError } from './start-error.ts'
import { supervise } from './supervise.ts'

/** The runner's exit code for settings that it cannot meet (EX_CONFIG of sysexits.h). */
const EXIT_SETTINGS = 78
const MS_BETWEEN_HEALTH_CHECKS = 100
const HEALTH_TIMEOUT_MS = 5_000

export interface TandemOptions {
  readonly settings: Settings
  readonly reporter: Reporter
  /** Aborted when it is to stop. */
  readonly signal: AbortSignal
}

export class Tandem {
  readonly #settings: Settings
  readonly #reporter: Reporter
  /** Aborted when it is over, by whoever runs this or by a part that failed. */
  readonly #over = new AbortController()
  readonly #children = new Set<Child>()
  #ready = false

  constructor({ settings, reporter, signal }: TandemOptions) {
    this.#settings = settings
    this.#reporter = reporter
    signal.addEventListener('abort', () => this.#over.abort(signal.reason))
    this.#over.signal.addEventListener('abort', () => {
      for (const child of this.#children) void child.stop()
    })
  }

  /**
   * Starts everything, prints the address when a chat message would be answered, and keeps it running until it is to
   * stop. All that it started has ended when this settles.
   * @throws StartError if it cannot start
   */
  async run(): Promise<void> {
    const { host, port, home: folder, loopback, models } = this.#settings
    const door = await openDoor(host, port)
    const url = localUrl(host, door.port)
    using home = await openHome(folder, url)
    const runnerPort = await freePort()
    const secret = randomBytes(32).toString('base64url')
    const serving = Promise.withResolvers<void>()

    const runner = async () => {
      await pullDefaultModel(models, this.#reporter, this.#over.signal)
      await this.#keep('runner', home.logs, {
        args: [path.join(ROOT, 'gpu-runner', 'main.ts')],
        env: {
          RUNNER_HOST: '127.0.0.1',
          RUNNER_PORT: String(runnerPort),
          EDGE_URL: url,
          RUNNER_SECRET: secret,
          TANDEM_HOME: folder,
          TANDEM_MODELS: models,
          TANDEM_DEVICE: this.#settings.device,
        },
      })
    }
    const edge = async () => {
      await this.#build()
      await door.close()
      const runnerUrl = `http://127.0.0.1:${runnerPort}`
      const options: EdgeHostOptions = { host, port: door.port, loopback, runnerUrl, data: home.edge, key: home.key }
      await this.#keep('edge', home.logs, {
        args: [path.join(ROOT, 'scripts', 'edge-host.ts'), JSON.stringify(options)],
        env: { RUNNER_SECRET: secret, TMPDIR: home.temporary },
        onMessage: (message) => {
          if ((message as EdgeHostMessage).type === 'edge-serving') serving.resolve()
        },
      })
    }
    const ready = async () => {
      await this.#becomeHealthy(url, serving.promise)
      this.#ready = true
      this.#reporter.line(`Tandem is ready: ${url}  (key: ${home.key})`)
    }
    try {
      await Promise.all([runner(), edge(), ready()])
    } finally {
      this.#over.abort()
      await Promise.all([door.close(), ...[...this.#children].map((child) => child.ended.catch(() => undefined))])
    }
  }

  /** Ends all that was started, at once. */
  kill(): void {
    for (const child of this.#children) child.kill()
  }

  #launch(options: ChildOptions): Child {
    this.#over.signal.throwIfAborted()
    const child = new Child({ ...options, env: { ...process.env, ...options.env } })
    this.#children.add(child)
    void child.ended.catch(() => undefined).then(() => this.#children.delete(child))
    return child
  }

  async #build(): Promise<void> {
    if (isBuilt('web') && isBuilt('edge')) return
    this.#reporter.progress('build', 'Building the page and the Worker')
    const child = this.#launch({
      args: [path.join(ROOT, 'scripts', 'build.ts')],
      env: {},
      onLine: (line, from) => from === 'stdout' && this.#reporter.line(line),
    })
    const end = await child.ended
    this.#over.signal.throwIfAborted()
    this.#reporter.progress('build', undefined)
    if (end.code !== 0) throw new StartError(end.errors || `the build failed (${describeEnd(end)})`)
  }

  /** Keeps a process running; until all is ready, its end is the end of everything. */
  async #keep(name: 'runner' | 'edge', logs: string, options: ChildOptions): Promise<void> {
    const log = new LogFile(path.join(logs, `${name}.log`))
    const onLine = (line: string, from: 'stdout' | 'stderr') => {
      log.line(line)
      if (this.#ready && from === 'stderr') this.#reporter.line(`${name}: ${line}`)
    }
    await supervise({
      name: `The ${name}`,
      launch: () => this.#launch({ ...options, onLine }),
      onEnd: (end) => {
        if (!this.#ready) throw new StartError(whyItEnded(name, end, log.file))
      },
      say: (line) => this.#reporter.line(line),
      signal: this.#over.signal,
    })
  }

  /** Resolves when the edge serves and says that the default model answers. */
  async #becomeHealthy(url: string, serving: Promise<void>): Promise<void> {
    const { signal } = this.#over
    const started = performance.now()
    const isHealthy = async () => {
      const timeout = AbortSignal.timeout(HEALTH_TIMEOUT_MS)
      // Until someone listens there, a refused connection is what to expect.
      const response = await fetch(`${url}/health`, { signal: AbortSignal.any([signal, timeout]) }).catch(
        () => undefined,
      )
      await response?.body?.cancel()
      return response?.ok === true
    }
    await Promise.race([serving, aborted(signal)])
    while (!(await isHealthy())) {
      const seconds = (performance.now() - started) / 1000
      this.#reporter.progress('health', `Loading the model, ${duration(seconds)}`)
      await delay(MS_BETWEEN_HEALTH_CHECKS, undefined, { signal })
    }
    this.#reporter.progress('health', undefined)
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}

function whyItEnded(name: string, end: ChildEnd, log: string): string {
  if (end.code === EXIT_SETTINGS) return end.errors
  return `the ${name} stopped (${describeEnd(end)}) before it was ready.\n${end.errors}\nIts log: ${log}`
}

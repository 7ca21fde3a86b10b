/**
 * `npm test`: every check and every test. `npm test -- WORD…` runs the checks whose name and the test files whose path
 * holds one of the words. The last line is `N passed, N failed`; a check counts as one test.
 */
import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { startTandem, TEST_MODELS } from '#tests/support/tandem.ts'
import { WRANGLER_ENV } from './build.ts'
import { pullDefaultModel } from './pull.ts'
import { Reporter } from './reporter.ts'
import { runTests, type Tally } from './run-tests.ts'
import { ROOT } from './settings.ts'

/** Run against one Tandem that is started for them all. */
const SHARED = ['tests/contract', 'tests/browser']
/** Each starts Tandems of its own; two at a time would only make both slow. */
const ALONE = ['tests/start', 'tests/faults']
const MOST_OUTPUT = 16 << 20

const bin = (name: string) => path.join('node_modules', '.bin', name)

/** By name: the programs to run, one after the other. */
const CHECKS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  types: [
    [bin('tsc'), '-p', '.'],
    [bin('tsc'), '-p', 'edge'],
    [bin('tsc'), '-p', 'edge/tsconfig.node.json'],
    [bin('tsc'), '-p', 'web'],
    [bin('tsc'), '-p', 'web/tsconfig.node.json'],
    [bin('tsc'), '-p', 'tests/browser'],
  ],
  lint: [[bin('biome'), 'lint', '--max-diagnostics=100', '--error-on-warnings']],
  format: [[bin('biome'), 'format', '--max-diagnostics=100']],
  unused: [[bin('knip')]],
  build: [[process.execPath, 'scripts/build.ts']],
  'page-size': [[process.execPath, 'web/check-size.ts']],
  deploy: [[bin('wrangler'), 'deploy', '--dry-run']],
}

const execute = promisify(execFile)

class TestRun {
  readonly #words: readonly string[]
  readonly #total: Tally = { passed: 0, failed: 0 }
  readonly #stop = new AbortController()

  constructor(words: readonly string[]) {
    this.#words = words
  }

  get total(): Readonly<Tally> {
    return this.#total
  }

  stop(): void {
    this.#stop.abort()
  }

  async run(): Promise<void> {
    for (const [name, commands] of Object.entries(CHECKS)) {
      if (this.#wanted(name)) await this.#step(name, () => this.#check(commands))
    }
    const all = globSync('{protocol,models,gpu-runner,edge,web,scripts,tests}/**/*.test.{ts,tsx}', {
      cwd: ROOT,
      exclude: (name) => name === 'node_modules',
    }).filter((file) => this.#wanted(file))
    const within = (folders: readonly string[]) =>
      all.filter((file) => folders.some((folder) => file.startsWith(folder + path.sep))).sort()
    if (all.length > 0) await this.#pullModel()
    const shared = within(SHARED)
    const alone = within(ALONE)
    const unit = all.filter((file) => !shared.includes(file) && !alone.includes(file)).sort()

    await this.#tests('unit tests', unit, availableParallelism())
    await this.#againstTandem(shared)
    await this.#tests('starting and stopping', alone, 1)
  }

  #wanted(name: string): boolean {
    return this.#words.length === 0 || this.#words.some((word) => name.includes(word))
  }

  /** Counts what `body` counts, or one failure if it throws; shows how long it took. */
  async #step(name: string, body: () => Promise<Tally>): Promise<void> {
    this.#stop.signal.throwIfAborted()
    const started = performance.now()
    const { passed, failed } = await body().catch((error: unknown) => {
      console.log(`\n✖ ${name}\n${error instanceof Error ? error.message : String(error)}`)
      return { passed: 0, failed: 1 }
    })
    this.#total.passed += passed
    this.#total.failed += failed
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${failed === 0 ? '✔' : '✖'} ${name}: ${passed} passed, ${failed} failed, ${seconds} s`)
  }

  async #check(commands: (typeof CHECKS)[string]): Promise<Tally> {
    for (const [program = '', ...args] of commands) {
      await execute(program, args, {
        cwd: ROOT,
        env: { ...process.env, ...WRANGLER_ENV, NO_COLOR: '1' },
        maxBuffer: MOST_OUTPUT,
        signal: this.#stop.signal,
      }).catch(({ message, stdout, stderr }: Error & { stdout?: string; stderr?: string }) => {
        throw new Error(stdout || stderr ? `${stdout}${stderr}` : message)
      })
    }
    return { passed: 1, failed: 0 }
  }

  async #tests(name: string, files: readonly string[], concurrency: number): Promise<void> {
    if (files.length === 0) return
    const absolute = files.map((file) => path.join(ROOT, file))
    await this.#step(name, () => runTests({ files: absolute, concurrency, signal: this.#stop.signal }))
  }

  /** Into the cache of every test, which only the first run has to wait for. */
  async #pullModel(): Promise<void> {
    await this.#step('the default model', async () => {
      await pullDefaultModel(TEST_MODELS, new Reporter(process.stdout), this.#stop.signal)
      return { passed: 1, failed: 0 }
    })
  }

  async #againstTandem(files: readonly string[]): Promise<void> {
    if (files.length === 0) return
    await this.#step('a Tandem for the next tests', async () => {
      const tandem = await startTandem({
        onLine: (line) => console.log(`  ${line}`),
        signal: this.#stop.signal,
      })
      process.env.TANDEM_TEST_URL = tandem.url
      process.env.TANDEM_TEST_KEY = tandem.key
      try {
        for (const folder of SHARED) {
          await this.#tests(
            folder,
            files.filter((file) => file.startsWith(folder + path.sep)),
            1,
          )
        }
      } finally {
        await tandem[Symbol.asyncDispose]()
      }
      return { passed: 1, failed: 0 }
    })
  }
}

process.env.TANDEM_MODELS = TEST_MODELS
const run = new TestRun(process.argv.slice(2))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => run.stop())
const broken = await run.run().then(
  () => 0,
  (error: unknown) => {
    console.log(error)
    return 1
  },
)
const { passed, failed } = run.total
console.log(`\n${passed} passed, ${failed + broken} failed`)
process.exit(failed + broken === 0 && passed > 0 ? 0 : 1)

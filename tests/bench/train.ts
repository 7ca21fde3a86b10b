/**
 * `npm run bench:train`: steps of training beside PyTorch's, of the same models from the same weights on the same data
 * with as many threads, in turns. Ratios are what to quote: medians of the rounds' medians. On a machine that does other
 * work too, look at the least, and at the processors' time, as well.
 *
 * TANDEM_BENCH_PYTHON is a Python with PyTorch; `python3` by default.
 */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { TRAINED_MODELS } from './train-models.ts'
import { writeWeights } from './train-weights.ts'

const ROUNDS = 5
/** What a round lasts, about. */
const ROUND_MS = 4_000
const THREADS = Math.min(8, availableParallelism())
const python = process.env.TANDEM_BENCH_PYTHON ?? 'python3'

interface Answer {
  readonly ms: readonly number[]
  /** Milliseconds of all threads for one step. */
  readonly cpu: number
  readonly losses: readonly number[]
  /** Bytes of memory that the process had at most. */
  readonly peak: number
}

class Side {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async #next<T>(): Promise<T> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('a side of the benchmark ended before it answered')
    return JSON.parse(value) as T
  }

  ready = (): Promise<unknown> => this.#next()

  steps(steps: number): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify({ steps })}\n`)
    return this.#next()
  }

  end(): void {
    this.#child.stdin.end()
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

try {
  const version = execFileSync(python, ['-c', 'import torch; print(torch.__version__)'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  console.log(`PyTorch ${version.toString().trim()}, ${THREADS} threads, ${ROUNDS} rounds in turns, medians\n`)
} catch {
  console.error(`${python} has no PyTorch: install it (pip install torch), or name one by TANDEM_BENCH_PYTHON.`)
  process.exit(1)
}
console.log(
  ['', 'Tandem', 'PyTorch', 'ratio'].map((cell, i) => (i === 0 ? cell.padEnd(30) : cell.padStart(12))).join(''),
)

const asked = process.argv.slice(2)
for (const [name, model] of Object.entries(TRAINED_MODELS)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  const folder = mkdtempSync(path.join(tmpdir(), 'tandem-bench-'))
  writeWeights(folder, model.plan())
  const here = import.meta.dirname
  const args = [name, String(THREADS), folder]
  const tandem = new Side(process.execPath, [path.join(here, 'train-contender.ts'), ...args])
  const peer = new Side(python, [path.join(here, 'train_contender.py'), ...args])
  try {
    await Promise.all([tandem.ready(), peer.ready()])
    const [first, other] = [await tandem.steps(5), await peer.steps(5)]
    const steps = Math.max(3, Math.round(ROUND_MS / median(other.ms)))
    const ours: Answer[] = []
    const theirs: Answer[] = []
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await tandem.steps(steps))
      theirs.push(await peer.steps(steps))
    }
    const ms = (answers: readonly Answer[]) => median(answers.map((answer) => median(answer.ms)))
    const peak = (answers: readonly Answer[]) => (answers.at(-1)?.peak ?? Number.NaN) / 2 ** 20
    const least = (answers: readonly Answer[]) => Math.min(...answers.flatMap((answer) => answer.ms))
    const cpu = (answers: readonly Answer[]) => median(answers.map((answer) => answer.cpu))
    row(`${name}, ms a step`, ms(ours), ms(theirs))
    row(`${name}, least ms`, least(ours), least(theirs))
    row(`${name}, CPU ms a step`, cpu(ours), cpu(theirs))
    row(`${name}, peak MiB`, peak(ours), peak(theirs))
    for (const [i, loss] of first.losses.entries())
      row(`${name}, loss ${i} after 5`, loss, other.losses[i] ?? Number.NaN, 4)
  } finally {
    tandem.end()
    peer.end()
    rmSync(folder, { recursive: true })
  }
}

function row(what: string, ours: number, theirs: number, digits = 1): void {
  const cells = [ours.toFixed(digits), theirs.toFixed(digits), (ours / theirs).toFixed(3)]
  console.log(what.padEnd(30) + cells.map((cell) => cell.padStart(12)).join(''))
}

/**
 * A process that Tandem starts, in a process group of its own: a Ctrl-C in the terminal reaches only the supervisor,
 * which then ends the others in order, and nothing that a child started outlives it.
 *
 * The IPC channel is a child's lifeline: it closes when the supervisor ends, however that ends, and the child then ends
 * too.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** After SIGTERM; the whole of Tandem must be gone within ten seconds. */
const MS_TO_STOP = 8_000
const LINES_KEPT = 40

export interface ChildOptions {
  /** The module and its arguments. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Called with each line that it writes. */
  readonly onLine?: (line: string, from: 'stdout' | 'stderr') => void
  readonly onMessage?: (message: unknown) => void
}

export interface ChildEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last lines of stdout and stderr. */
  readonly output: string
  readonly errors: string
}

export class Child {
  readonly ended: Promise<ChildEnd>
  readonly #process: ChildProcess
  #running = true

  constructor({ args, env, cwd, onLine, onMessage }: ChildOptions) {
    this.#process = spawn(process.execPath, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env,
      cwd,
    })
    const output: string[] = []
    const errors: string[] = []
    const read = (stream: Readable | null, from: 'stdout' | 'stderr') => {
      if (!stream) return
      createInterface({ input: stream }).on('line', (line) => {
        for (const kept of from === 'stderr' ? [output, errors] : [output]) {
          kept.push(line)
          if (kept.length > LINES_KEPT) kept.shift()
        }
        onLine?.(line, from)
      })
    }
    read(this.#process.stdout, 'stdout')
    read(this.#process.stderr, 'stderr')
    if (onMessage) this.#process.on('message', onMessage)
    this.ended = new Promise((resolve, reject) => {
      this.#process.once('error', reject)
      this.#process.once('exit', () => {
        this.#running = false
        // What it left behind would hold its pipes open, and its ports.
        this.#signalGroup('SIGKILL')
      })
      this.#process.once('close', (code, signal) =>
        resolve({ code, signal, output: output.join('\n'), errors: errors.join('\n') }),
      )
    })
    // Whoever started it awaits its end; until then a failed start is no unhandled rejection.
    this.ended.catch(() => undefined)
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Asks it to stop, and makes it if it does not in time. */
  async stop(): Promise<void> {
    if (!this.#running) return
    this.#process.kill('SIGTERM')
    const timer = setTimeout(() => this.kill(), MS_TO_STOP)
    await this.ended.catch(() => undefined)
    clearTimeout(timer)
  }

  /** Ends it and all that it started, at once. */
  kill(): void {
    this.#signalGroup('SIGKILL')
  }

  #signalGroup(signal: NodeJS.Signals): void {
    if (this.#process.pid === undefined) return
    try {
      process.kill(-this.#process.pid, signal)
    } catch {
      // The group is gone, which is what was wanted.
    }
  }
}

/** `exit code 1`, `signal SIGKILL`. */
export function describeEnd({ code, signal }: Pick<ChildEnd, 'code' | 'signal'>): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`
}

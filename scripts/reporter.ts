/**
 * What the terminal shows while Tandem starts: lines for what happened, and on a terminal one live line for what is
 * happening. Where output goes to a file, the live line becomes a plain one every few seconds.
 */
import type { WriteStream } from 'node:tty'

const MS_BETWEEN_LINES = 5_000
const CLEAR_LINE = '\r\u001b[K'

type Output = Pick<WriteStream, 'write'> & { isTTY?: boolean; columns?: number }

export interface ReporterOptions {
  readonly now?: () => number
}

export class Reporter {
  readonly #output: Output
  readonly #now: () => number
  /** By task; insertion order is the order shown. */
  readonly #live = new Map<string, string>()
  /** By task; where output goes to a file. */
  readonly #lastLineAt = new Map<string, number>()

  constructor(output: Output, { now = () => performance.now() }: ReporterOptions = {}) {
    this.#output = output
    this.#now = now
  }

  /** Prints a line for good. */
  line(text: string): void {
    this.#output.write(`${this.#output.isTTY ? CLEAR_LINE : ''}${text}\n`)
    this.#draw()
  }

  /** Says how far a task is; undefined when it is over. */
  progress(task: string, text: string | undefined): void {
    if (text === undefined) this.#live.delete(task)
    else this.#live.set(task, text)
    if (this.#output.isTTY) {
      this.#draw()
    } else if (
      text !== undefined &&
      this.#now() - (this.#lastLineAt.get(task) ?? -MS_BETWEEN_LINES) >= MS_BETWEEN_LINES
    ) {
      this.#lastLineAt.set(task, this.#now())
      this.#output.write(`${text}\n`)
    }
  }

  #draw(): void {
    if (!this.#output.isTTY) return
    const text = [...this.#live.values()].join(' · ')
    this.#output.write(CLEAR_LINE + text.slice(0, Math.max(0, (this.#output.columns ?? 80) - 1)))
  }
}

/** `12.3 MB`, decimal as disks and networks count. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

/** `48 s`, `3 min 20 s`. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

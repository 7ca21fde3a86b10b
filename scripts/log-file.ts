/** A log that cannot fill the disk: at its limit it becomes `NAME.1`, in place of the one before, and a new one begins. */
import { appendFileSync, renameSync, statSync } from 'node:fs'

const MOST_BYTES = 5 << 20

export class LogFile {
  readonly file: string
  readonly #mostBytes: number
  #bytes: number
  #failed = false

  constructor(file: string, mostBytes: number = MOST_BYTES) {
    this.file = file
    this.#mostBytes = mostBytes
    this.#bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  }

  /** A log that cannot be written (a full disk) must not stop what it reports on: that is said once, on stderr. */
  line(text: string): void {
    const bytes = Buffer.from(`${new Date().toISOString()} ${text}\n`)
    try {
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#mostBytes) {
        renameSync(this.file, `${this.file}.1`)
        this.#bytes = 0
      }
      appendFileSync(this.file, bytes, { mode: 0o600 })
      this.#bytes += bytes.length
      this.#failed = false
    } catch (error) {
      if (!this.#failed) console.error(`The log ${this.file} cannot be written: ${String(error)}`)
      this.#failed = true
    }
  }
}

/**
 * A lock that ends with its holder, however that ends: the operating system's lock on a SQLite file. Nothing goes stale.
 */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'

const SQLITE_BUSY = 5
const MS_BETWEEN_TRIES = 100

export interface FileLock extends Disposable {
  readonly file: string
}

/** The lock, or undefined if another has it. Throws what SQLite throws if the file cannot be written. */
export function tryLock(file: string): FileLock | undefined {
  const database = new DatabaseSync(file)
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined
    throw error
  }
  return { file, [Symbol.dispose]: () => database.close() }
}

/** Waits for the lock. `onWait` is called once, if another has it. */
export async function waitForLock(file: string, onWait: () => void, signal?: AbortSignal): Promise<FileLock> {
  for (let told = false; ; told = true) {
    const lock = tryLock(file)
    if (lock) return lock
    if (!told) onWait()
    await delay(MS_BETWEEN_TRIES, undefined, { signal })
  }
}

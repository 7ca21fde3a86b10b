// @ts-check
/**
 * A lock file that holds its owner's process id, for the time before anything is installed. What a dead process left
 * behind is taken over.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const MS_BETWEEN_TRIES = 300

export class InstallLock {
  /** @param {string} file */
  constructor(file) {
    this.file = file
    this.owner = process.pid
  }

  /**
   * Waits until the lock is free.
   * @param {string} file
   * @param {(pid: number) => void} onWait called once, if another process has it
   */
  static async take(file, onWait) {
    mkdirSync(path.dirname(file), { recursive: true })
    for (let told = false; !tryTake(file); ) {
      const pid = Number(readIfThere(file))
      if (!isAlive(pid)) {
        removeStale(file, pid)
        continue
      }
      if (!told) onWait(pid)
      told = true
      await delay(MS_BETWEEN_TRIES)
    }
    return new InstallLock(file)
  }

  /**
   * Whose end ends the lock, should this process be killed.
   * @param {number} pid
   */
  handTo(pid) {
    const fresh = `${this.file}.${process.pid}`
    writeFileSync(fresh, String(pid))
    renameSync(fresh, this.file)
    this.owner = pid
  }

  release() {
    if (Number(readIfThere(this.file)) === this.owner) rmSync(this.file, { force: true })
  }
}

/** The file appears with its content, so that no reader sees it empty. @param {string} file */
function tryTake(file) {
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, String(process.pid))
  try {
    linkSync(mine, file)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  } finally {
    rmSync(mine)
  }
}

/**
 * Of several processes that find the lock stale, one moves it away. A lock that was renewed in between is put back.
 * @param {string} file
 * @param {number} pid
 */
function removeStale(file, pid) {
  const aside = `${file}.stale-${process.pid}`
  try {
    renameSync(file, aside)
    if (Number(readIfThere(aside)) !== pid) linkSync(aside, file)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'EEXIST') throw error
  }
  rmSync(aside, { force: true })
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return ''
    throw error
  }
}

/** @param {number} pid */
function isAlive(pid) {
  if (!Number.isInteger(pid) || pid < 1) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

/** @param {unknown} error */
function errorCode(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

import { open, readFile, rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

const MS_BETWEEN_TRIES = 200

/** Runs `body` while no other process holds the lock file; one left by a process that is gone is taken over. */
export async function withLock<T>(file: string, signal: AbortSignal, body: () => Promise<T>): Promise<T> {
  while (!(await take(file))) {
    if (!(await holderLives(file))) await rm(file, { force: true })
    else await delay(MS_BETWEEN_TRIES, undefined, { signal })
  }
  try {
    return await body()
  } finally {
    await rm(file, { force: true })
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx')
    await handle.writeFile(String(process.pid))
    await handle.close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** A lock that is still empty was made this moment. */
async function holderLives(file: string): Promise<boolean> {
  const pid = await readFile(file, 'utf8').catch(() => undefined)
  if (pid === undefined || pid === '') return true
  try {
    process.kill(Number(pid), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

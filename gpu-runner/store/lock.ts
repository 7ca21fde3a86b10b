/**
 * A lock between processes: a file that its holder makes, touches while it works, and removes. One that a process left
 * behind is taken over, when that process is gone or the file has not been touched for long.
 */
import { open, readFile, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'

const MS_BETWEEN_TRIES = 100
const MS_BETWEEN_TOUCHES = 5000
const MS_UNTIL_STALE = 30_000

const holderSchema = v.object({ pid: v.number(), host: v.string() })

/** Runs `body` while no other process holds the lock file. Throws the signal's reason if it is aborted while waiting. */
export async function withLock<T>(file: string, signal: AbortSignal, body: () => Promise<T>): Promise<T> {
  while (!(await take(file))) {
    signal.throwIfAborted()
    if (await isStale(file)) await removeStale(file)
    else await delay(MS_BETWEEN_TRIES, undefined, { signal })
  }
  const touching = setInterval(() => {
    const now = new Date()
    // Should the touch fail, the worst is that another process pulls as well: each verifies what it publishes.
    utimes(file, now, now).catch(() => {})
  }, MS_BETWEEN_TOUCHES)
  try {
    return await body()
  } finally {
    clearInterval(touching)
    await rm(file, { force: true })
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx')
    await handle.writeFile(JSON.stringify({ pid: process.pid, host: hostname() }))
    await handle.close()
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

async function isStale(file: string): Promise<boolean> {
  const touched = await stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  )
  if (touched === undefined) return false
  if (Date.now() - touched > MS_UNTIL_STALE) return true
  const text = await readFile(file, 'utf8').catch(() => '')
  const holder = v.safeParse(v.pipe(v.string(), v.parseJson(), holderSchema), text)
  // A process of another machine, or of another container, cannot be asked for.
  return holder.success && holder.output.host === hostname() && !isRunning(holder.output.pid)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** One process at a time removes a stale lock, and looks once more, so that nobody removes a successor's. */
async function removeStale(file: string): Promise<void> {
  const guard = `${file}.removal`
  if (!(await take(guard))) {
    if (await isStale(guard)) await rm(guard, { force: true })
    return
  }
  try {
    if (await isStale(file)) await rm(file, { force: true })
  } finally {
    await rm(guard, { force: true })
  }
}

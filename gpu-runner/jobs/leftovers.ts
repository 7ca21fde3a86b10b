/** Folders of attempts: named after the process that has them, so that those of one that is gone are found. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'

const prefixOf = (pid: number) => `${pid}@${hostname()}-`

export const attemptFolder = (folder: string, name: string): string => path.join(folder, prefixOf(process.pid) + name)

/** Removes what is left of processes on this machine that are gone, and of this one, which is between two attempts. */
export async function sweepAttempts(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const name of await readdir(folder)) {
    const pid = Number(/^(\d+)@/.exec(name)?.[1] ?? 0)
    if (pid === 0 || !name.startsWith(prefixOf(pid))) continue
    if (pid === process.pid || !isRunning(pid)) await rm(path.join(folder, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is another user's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

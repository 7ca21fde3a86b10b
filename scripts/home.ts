/** `TANDEM_HOME`: database, objects, key and logs of one instance, readable by its owner alone. */
import { access, constants, mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { tryLock } from './file-lock.ts'
import { reason, StartError } from './start-error.ts'

/** Bytes: what databases and logs need to begin with. */
const LEAST_SPACE = 32 << 20

export interface Home extends Disposable {
  readonly folder: string
  readonly key: string
  readonly logs: string
  /** What the edge keeps: D1, R2, Durable Objects. */
  readonly edge: string
  /** Emptied at each start. */
  readonly temporary: string
}

/**
 * Makes the home if it is not there and takes it for this process.
 * @throws StartError if it cannot be written, or if another Tandem runs on it
 */
export async function openHome(folder: string, address: string): Promise<Home> {
  const home = {
    folder,
    key: path.join(folder, 'key'),
    logs: path.join(folder, 'logs'),
    edge: path.join(folder, 'edge'),
    temporary: path.join(folder, 'tmp'),
  }
  const holder = path.join(folder, 'running-at')
  const lock = await usable(folder, async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await access(folder, constants.W_OK)
    return tryLock(path.join(folder, 'lock'))
  })
  if (!lock) {
    const where = await readFile(holder, 'utf8').catch(() => '')
    throw new StartError(
      `Another Tandem runs on TANDEM_HOME ${folder}${where && `, at ${where.trim()}`}. ` +
        'Stop it, or set another TANDEM_HOME (and PORT) to run a second one.',
    )
  }
  await usable(folder, async () => {
    const { bavail, bsize } = await statfs(folder)
    if (bavail * bsize < LEAST_SPACE) throw new Error(`only ${(bavail * bsize) >> 20} MB of disk space are free there`)
    await rm(home.temporary, { recursive: true, force: true })
    for (const made of [home.logs, home.edge, home.temporary]) await mkdir(made, { recursive: true, mode: 0o700 })
    await writeFile(holder, `${address} (process ${process.pid})\n`)
  })
  return { ...home, [Symbol.dispose]: () => lock[Symbol.dispose]() }
}

async function usable<T>(folder: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    throw new StartError(`TANDEM_HOME ${folder} cannot be used: ${reason(error)}.`, { cause: error })
  }
}

/**
 * Downloads a Python package's wheel through the ordinary client, `pip`, which knows the machine's mirrors, proxies and
 * certificates, and checks the hash that the index gives.
 */
import { spawn } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface WheelDownload {
  /** What pip is to download, as its arguments. */
  readonly wanted: readonly string[]
  /** An empty folder to work in. */
  readonly folder: string
  /** Bytes that are about to come. */
  readonly size: number
  readonly onBytes: (received: number) => void
  readonly signal: AbortSignal
  /** Ways to call pip; the first that is on this machine is used. */
  readonly pips?: readonly (readonly string[])[]
}

const PIPS = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip'], ['py', '-m', 'pip']]
const OPTIONS = ['--no-deps', '--only-binary=:all:', '--no-cache-dir', '--disable-pip-version-check', '--quiet']
/** Seconds without a byte, and attempts after the first: a source that does not answer is to be given up. */
const PATIENCE = ['--timeout', '20', '--retries', '2']
const MS_BETWEEN_LOOKS = 250
const OUTPUT_KEPT = 4000

/** The wheel's path in the folder. Throws Error with what pip said. */
export async function downloadWheel(download: WheelDownload): Promise<string> {
  const { wanted, folder, size, onBytes, signal, pips = PIPS } = download
  const watching = new AbortController()
  const watched = watch(folder, size, onBytes, watching.signal)
  try {
    const wheels = path.join(folder, 'wheels')
    await runPip(pips, ['download', ...OPTIONS, ...PATIENCE, '--dest', wheels, ...wanted], folder, signal)
    const [wheel] = (await readdir(wheels)).filter((name) => name.endsWith('.whl'))
    if (!wheel) throw new Error(`pip brought no wheel of ${wanted.at(-1)}`)
    return path.join(wheels, wheel)
  } finally {
    watching.abort()
    await watched
  }
}

async function runPip(
  pips: readonly (readonly string[])[],
  args: readonly string[],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  for (const [command = '', ...first] of pips) {
    const end = await run(command, [...first, ...args], folder, signal)
    signal.throwIfAborted()
    if (end === 'absent') continue
    if (end.code !== 0) throw new Error(`pip failed: ${reason(end.output) ?? `exit code ${end.code}`}`)
    return
  }
  throw new Error('there is no Python with pip on this machine')
}

/** Ends when the process has ended, also when it was made to by the signal. pip keeps what it downloads in `folder`. */
type End = 'absent' | { code: number | null; output: string }
function run(command: string, args: readonly string[], folder: string, signal: AbortSignal): Promise<End> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder }
    const child = spawn(command, args, { env, signal, stdio: ['ignore', 'ignore', 'pipe'] })
    let output = ''
    child.stderr.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_KEPT)
    })
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve('absent')
      else if (child.pid === undefined) reject(error)
    })
    child.once('close', (code) => resolve(code !== 0 && lacksPip(output) ? 'absent' : { code, output }))
  })
}

/** A Python without pip, or a launcher without a Python. */
const lacksPip = (output: string) => /No module named pip|command not found/.test(output)

const reason = (output: string) =>
  output
    .trim()
    .split('\n')
    .findLast((line) => line.startsWith('ERROR'))

/** Reports the bytes that lie in the folder while pip works there; a wheel is about as long as what it carries. */
async function watch(
  folder: string,
  size: number,
  onBytes: (received: number) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    onBytes(Math.min(await bytesIn(folder), size - 1))
    await delay(MS_BETWEEN_LOOKS, undefined, { signal }).catch(() => {})
  }
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const sizes = await Promise.all(
    names.map((name) =>
      stat(path.join(folder, name)).then(
        (file) => (file.isFile() ? file.size : 0),
        () => 0,
      ),
    ),
  )
  return sizes.reduce((a, b) => a + b, 0)
}

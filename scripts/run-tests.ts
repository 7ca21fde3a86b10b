/** Runs test files with Node's own runner and counts what it says; prints what failed, and why. */
import path from 'node:path'
import { run } from 'node:test'
import { inspect } from 'node:util'
import { ROOT } from './settings.ts'

export interface Tally {
  passed: number
  failed: number
}

export interface RunOptions {
  readonly files: readonly string[]
  /** Files at a time. */
  readonly concurrency: number
  readonly signal: AbortSignal
}

/** Of one test, in milliseconds: what hangs must not hang the run. */
const TIMEOUT_MS = 300_000
/** How a test fails whose subtests have already been counted. */
const COUNTED_ALREADY = 'subtestsFailed'

export async function runTests({ files, concurrency, signal }: RunOptions): Promise<Tally> {
  const tally: Tally = { passed: 0, failed: 0 }
  const output = new Map<string, string>()
  const failedFiles = new Set<string>()
  const collect = ({ file, message }: { file?: string | undefined; message: string }) =>
    output.set(file ?? '', (output.get(file ?? '') ?? '') + message)

  const stream = run({ files, concurrency, signal, timeout: TIMEOUT_MS })
  stream.on('test:stdout', collect)
  stream.on('test:stderr', collect)
  stream.on('test:pass', ({ name, file, details, skip, todo }) => {
    if (details.type === 'suite' || skip !== undefined || todo !== undefined) return
    if (name !== file) {
      tally.passed += 1
      return
    }
    tally.failed += 1
    console.log(`\n✖ ${path.relative(ROOT, file)} holds no tests`)
  })
  stream.on('test:fail', ({ name, file, line, details: { error }, todo }) => {
    if (todo !== undefined || ('failureType' in error && error.failureType === COUNTED_ALREADY)) return
    tally.failed += 1
    failedFiles.add(file ?? '')
    const place = file === undefined ? '' : ` (${path.relative(ROOT, file)}${line === undefined ? '' : `:${line}`})`
    console.log(`\n✖ ${name}${place}\n${indent(inspect(error.cause ?? error))}`)
  })
  stream.resume()
  await new Promise((resolve, reject) => stream.once('end', resolve).once('error', reject))
  for (const file of failedFiles) {
    const text = output.get(file)?.trim()
    if (text) console.log(`\nOutput of ${path.relative(ROOT, file)}:\n${indent(text)}`)
  }
  return tally
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}

/** Why a training ended, in words for its owner. */
import type { JobError } from '#protocol/training.ts'

export interface Failure {
  readonly error: JobError
  /** Whether another attempt may do better, here or on another runner. */
  readonly again: boolean
}

/** Errors of the system that its operator can put right. */
const SYSTEM: Readonly<Record<string, string>> = {
  ENOSPC: 'The runner’s disk is full.',
  EDQUOT: 'The runner may not write any more to its disk.',
  ENOMEM: 'The runner has no memory left.',
  EMFILE: 'The runner has too many files open.',
  EROFS: 'The runner’s disk cannot be written to.',
  EACCES: 'The runner may not write to its folder for jobs.',
}

/** What failed on this runner, whatever the data is. */
export function runnerFailure(error: unknown): Failure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const message = SYSTEM[code] ?? `The training failed on its runner: ${nameOf(error)}.`
  return { error: { code: 'runner_failed', message, param: null }, again: true }
}

/** A process that is gone. */
export function processFailure(code: number | null, signal: NodeJS.Signals | null): Failure {
  const how =
    signal === null ? `with code ${code}` : `by ${signal}${signal === 'SIGKILL' ? ', perhaps for want of memory' : ''}`
  return { error: { code: 'runner_failed', message: `The training’s process ended ${how}.`, param: null }, again: true }
}

/** The kind of it alone: a message may speak of the machine. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

/**
 * The transitions of a training job. Pure: a state and what happens give another state and what is to be told; it knows no
 * clock, network or storage. `status` is what the job is to its owner, `lease` who works on it: a paused job is held until
 * its runner has stopped, and nobody else is given it before.
 */
import { ApiError } from '#protocol/error.ts'
import type { JobError, JobMetrics } from '#protocol/training.ts'
import { type EndReport, LEASE_MS, type Report, type RunnerEvent } from '#protocol/training-lease.ts'
import {
  type Change,
  hasEnded,
  INITIAL,
  type JobRecord,
  type JobState,
  type Lease,
  type NewEvent,
} from './job-state.ts'

/** Attempts in a row that come no further. */
const MOST_FAILURES = 3
/** A lease is looked at when it runs out. Who comes later than this was not there to renew it. */
const LATE_MS = 5_000

export function begin({ id, trainingFile }: JobRecord): Change {
  return changed(INITIAL, {}, [
    info(`Created fine-tuning job: ${id}`),
    info(`Validating training file: ${trainingFile}`),
  ])
}

/** Its files have been looked at. */
export function validated(state: JobState, problem: JobError | null, now: number): Change {
  if (state.validated || hasEnded(state)) return same(state)
  if (problem) return failed(state, problem, now)
  const status = state.status === 'validating_files' ? 'queued' : state.status
  return changed(state, { status, validated: true }, [info('Files validated, moving job to queued state')])
}

/** Gives it to a runner, if it waits for one. */
export function lease(state: JobState, runner: string, now: number): Change {
  if (state.status !== 'queued' || state.lease || state.publishing) return same(state)
  const token = state.token + 1
  const held = { runner, token, until: now + LEASE_MS, extended: false, heard: 0 }
  const { checkpoint } = state
  const message = checkpoint ? `Fine-tuning job goes on from step ${checkpoint.step}` : 'Fine-tuning job started'
  return changed(state, { status: 'running', token, lease: held }, [info(message)])
}

/** @throws ApiError 409 if the lease is another's by now */
export function report(state: JobState, told: Report, now: number): Change {
  const held = heldBy(state, told.token)
  const fresh = told.events.slice(Math.max(0, held.heard - told.from))
  const events = hasEnded(state) ? [] : fresh.map(toEvent)
  const heard = Math.max(held.heard, told.from + told.events.length)
  const renewed = { ...held, until: now + LEASE_MS, extended: false, heard }
  const progress = fresh.findLast((event) => event.type === 'progress')
  const samples = fresh.findLast((event) => event.type === 'samples')?.samples ?? state.samples
  const estimatedFinish = progress ? now + 1000 * progress.seconds_left : state.estimatedFinish
  const next = { ...state, lease: renewed, samples, estimatedFinish }
  const { checkpoint } = told
  const known = state.checkpoint?.step ?? -1
  if (!checkpoint || hasEnded(state) || checkpoint.step <= known) return { state: next, events }
  const created = info(`Checkpoint created at step ${checkpoint.step}`)
  return { ...changed(next, { checkpoint, failures: 0, littered: true }, [...events, created]), checkpoint }
}

/** What a runner that holds it is to do. */
export const wishOf = ({ status }: JobState): 'go' | 'stop' => (status === 'running' ? 'go' : 'stop')

/** @throws ApiError 409 if the lease is another's by now */
export function end(state: JobState, told: EndReport, now: number): Change {
  const last = report(state, told, now)
  const given = { ...last.state, lease: null }
  const then = (change: Change): Change => ({ ...last, ...change, events: [...last.events, ...change.events] })
  if (hasEnded(state)) return then(same(given))
  const { outcome } = told
  if (outcome.type === 'succeeded') return then(changed(given, { status: 'running', publishing: outcome.manifest }, []))
  if (outcome.type === 'failed') {
    return then(outcome.again ? failedOnce(given, outcome.error, now) : failed(given, outcome.error, now))
  }
  if (state.status !== 'running') return then(same(given))
  return then(changed(given, { status: 'queued' }, [info('The runner stops; the job waits for another')]))
}

/** Takes it from a runner that is not heard of any more. */
export function expire(state: JobState, now: number): Change {
  const { lease: held } = state
  if (!held || now < held.until) return same(state)
  if (now > held.until + LATE_MS && !held.extended) {
    return { state: { ...state, lease: { ...held, until: now + LEASE_MS, extended: true } }, events: [] }
  }
  const free = { ...state, lease: null }
  if (state.status !== 'running') return same(free)
  return failedOnce(free, { code: 'runner_lost', message: 'The runner was lost.', param: null }, now)
}

/** The model can be asked for. */
export function published(state: JobState, resultFiles: readonly string[], now: number): Change {
  const { publishing } = state
  if (!publishing) return same(state)
  const over = { status: 'succeeded', publishing: null, model: publishing.id, resultFiles } as const
  return changed(state, { ...over, finishedAt: now, estimatedFinish: null, littered: true }, [
    info(`New fine-tuned model created: ${publishing.id}`),
    info('The job has successfully completed'),
  ])
}

/** @throws ApiError 400 if it has ended */
export function pause(state: JobState): Change {
  if (state.status === 'paused') return same(state)
  requireOpen(state, 'paused')
  return changed(state, { status: 'paused', estimatedFinish: null }, [info('The job is paused')])
}

/** @throws ApiError 400 if it has ended */
export function resume(state: JobState): Change {
  if (state.status !== 'paused') {
    requireOpen(state, 'resumed')
    return same(state)
  }
  const status = state.validated ? 'queued' : 'validating_files'
  return changed(state, { status }, [info('The job is resumed')])
}

/** @throws ApiError 400 if it has ended otherwise */
export function cancel(state: JobState, now: number): Change {
  if (state.status === 'cancelled') return same(state)
  requireOpen(state, 'cancelled')
  return changed(state, { status: 'cancelled', finishedAt: now, estimatedFinish: null, littered: true }, [
    info('The job is cancelled'),
  ])
}

/** A runner's failure: another attempt is made, unless there were enough of them. */
function failedOnce(state: JobState, error: JobError, now: number): Change {
  const failures = state.failures + 1
  if (failures >= MOST_FAILURES) {
    const message = `${failures} attempts came no further. The last one: ${error.message}`
    return failed({ ...state, failures }, { ...error, message }, now)
  }
  const message = `Attempt ${failures} of ${MOST_FAILURES} failed: ${error.message}`
  // A paused one stays so.
  const status = state.status === 'running' ? 'queued' : state.status
  return changed(state, { failures, status }, [{ level: 'warn', message, type: 'message', data: null }])
}

function failed(state: JobState, error: JobError, now: number): Change {
  const over = { status: 'failed', error, finishedAt: now, estimatedFinish: null, littered: true } as const
  return changed(state, over, [{ level: 'error', message: error.message, type: 'message', data: null }])
}

/** @throws ApiError 409 if the lease is another's by now */
export function heldBy({ lease: held }: JobState, token: number): Lease {
  if (held?.token === token) return held
  throw new ApiError('lease_lost', `The lease ${token} of this job is over.`)
}

/** @throws ApiError */
function requireOpen(state: JobState, what: string): void {
  if (!hasEnded(state) && !state.publishing) return
  const is = state.publishing ? 'complete, and being published' : state.status
  throw new ApiError('invalid_job_state', `The job cannot be ${what}: it is ${is}.`)
}

function toEvent(event: RunnerEvent): NewEvent {
  if (event.type === 'message') return { level: event.level, message: event.message, type: 'message', data: null }
  const { type, ...data } = event
  return { level: 'info', message: messageOf(data), type: 'metrics', data }
}

function messageOf(data: JobMetrics): string {
  if ('samples' in data) return `Samples at step ${data.step}`
  const [kind, numbers] = 'train' in data ? (['training', data.train] as const) : (['validation', data.valid] as const)
  const of = 'train' in data ? `${data.step}/${data.total_steps}` : `${data.step}`
  const shown = Object.entries(numbers).map(([name, value]) => `${kind} ${name}=${Number(value.toPrecision(4))}`)
  return `Step ${of}: ${shown.join(', ')}`
}

const info = (message: string): NewEvent => ({ level: 'info', message, type: 'message', data: null })
const same = (state: JobState): Change => ({ state, events: [] })

function changed(state: JobState, change: Partial<JobState>, events: readonly NewEvent[]): Change {
  return { state: { ...state, ...change, version: state.version + 1 }, events }
}

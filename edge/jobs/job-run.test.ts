/**
 * A few jobs, two or three runners and an owner who pauses and cancels, while the edge is killed, runners die, and the
 * network and the stores fail. `SEEDS=1000 FIRST_SEED=7` for more.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as v from 'valibot'
import { ApiError } from '#protocol/error.ts'
import type { JobStatus } from '#protocol/training.ts'
import { trainingMethodSchema } from '#protocol/training.ts'
import { forgive, Killed, Lost, POISONED_AT, SimulatedObject, STEPS, World } from '../testing/job-world.ts'
import { randomFrom } from '../testing/random.ts'
import { hasEnded, type JobRecord, type JobState, modelIdOf } from './job-state.ts'

const SEEDS = Number(process.env.SEEDS ?? 300)
const FIRST_SEED = Number(process.env.FIRST_SEED ?? 1)
const TURNS_WITH_FAULTS = 600
const MOST_TURNS = 20_000

/** Whereto each may go. */
const NEXT: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  validating_files: ['queued', 'paused', 'failed', 'cancelled'],
  queued: ['running', 'paused', 'cancelled', 'failed'],
  running: ['queued', 'paused', 'succeeded', 'failed', 'cancelled'],
  paused: ['queued', 'validating_files', 'running', 'failed', 'cancelled'],
  succeeded: [],
  failed: [],
  cancelled: [],
}

const recordOf = (name: string): JobRecord => ({
  id: `ftjob-${name}`,
  owner: 'somebody',
  createdAt: 0,
  model: 'vae',
  method: v.parse(trainingMethodSchema, { type: 'vae' }),
  seed: 1,
  suffix: name === 'poisoned' ? name : null,
  metadata: null,
  trainingFile: 'file-x',
  validationFile: null,
})

interface Wishes {
  paused: boolean
  cancelled: boolean
}

/** The owner pauses, resumes and cancels; what was acknowledged has to hold. */
async function owner(world: World, object: SimulatedObject, wishes: Wishes): Promise<void> {
  for (;;) {
    await world.turn()
    if (!world.chance(world.faults.owner)) continue
    const what =
      (['pause', 'pause', 'resume', 'resume', 'resume', 'cancel'] as const)[Math.floor(world.random() * 6)] ?? 'resume'
    if (what === 'cancel' && !world.chance(0.1)) continue
    try {
      await world.call(object, (run) => run.control(what))
      if (what === 'cancel') wishes.cancelled = true
      wishes.paused = what === 'pause'
    } catch (error) {
      const hasPassed = error instanceof ApiError && error.code === 'invalid_job_state'
      if (hasPassed) assert.ok(hasEnded(object.state) || object.state.publishing)
      // It may have been done, or not.
      else if (error instanceof Killed || error instanceof Lost) wishes.paused = object.state.status === 'paused'
      else throw error
    }
  }
}

async function simulate(seed: number): Promise<{ failures: number; resumed: number }> {
  const world = new World(randomFrom(seed))
  const records = ['first', 'second', 'poisoned'].map(recordOf)
  const objects = records.map(() => new SimulatedObject(world))
  const wishes = records.map((): Wishes => ({ paused: false, cancelled: false }))
  const granted = new Map<string, number>()
  const problems: unknown[] = []
  const go = (work: Promise<void>) => void work.catch((error: unknown) => problems.push(error))
  const watch = {
    leased(job: string, token: number) {
      assert.ok(token > (granted.get(job) ?? 0), `${job} was leased twice under ${token}`)
      granted.set(job, token)
    },
    heard: () => {},
  }

  for (const [i, object] of objects.entries()) {
    const record = records[i] as JobRecord
    // Asked for until it is acknowledged.
    go(
      (async () => {
        for (;;) {
          const begun = await world
            .call(object, (run) => run.begin(record))
            .then(
              () => true,
              (error: unknown) => forgive(error),
            )
          if (begun) break
        }
        if (record.suffix !== 'poisoned') await owner(world, object, wishes[i] as Wishes)
      })(),
    )
  }
  for (const name of ['a', 'b', 'c'].slice(0, 2 + (seed % 2))) go(world.runner(name, objects, watch))

  const over = () => objects.every(({ disk }) => disk.kept && hasEnded(disk.kept.state) && !disk.kept.state.lease)
  let turns = 0
  for (; turns < MOST_TURNS; turns++) {
    if (turns === TURNS_WITH_FAULTS) {
      world.faults = { network: 0, outside: 0, runner: 0, edge: 0, owner: 0 }
    }
    if (turns > TURNS_WITH_FAULTS) {
      // Whoever was left paused goes on.
      for (const object of objects) if (object.state.status === 'paused') go(object.run.control('resume'))
    }
    const settled = () => objects.every(({ state }) => state.listed === state.version && !state.littered)
    if (turns > TURNS_WITH_FAULTS && over() && settled()) break
    world.now += Math.floor(world.random() * 400)
    // A clock that is set, or an edge that was away.
    if (world.chance(world.faults.edge / 20)) world.now += 86_400_000
    for (const object of objects) {
      if (world.chance(world.faults.edge / 3)) object.kill()
      const { wakeAt } = object.disk
      if (wakeAt === null || wakeAt > world.now) continue
      object.disk.wakeAt = null
      // An alarm that fails is tried again.
      go(
        object.run.wake().catch((error: unknown) => {
          object.disk.wakeAt ??= world.now
          forgive(error)
        }),
      )
    }
    await world.step()
    assert.deepEqual(problems, [], `seed ${seed}`)
    for (const { disk } of objects) {
      const state = disk.kept?.state
      if (!state?.checkpoint || hasEnded(state)) continue
      const key = `checkpoints/${disk.kept?.record.id}/${state.checkpoint.sha256}`
      assert.ok(world.objects.has(key), `seed ${seed}: the checkpoint to go on from is there`)
    }
  }
  assert.ok(turns < MOST_TURNS, `seed ${seed}: ${objects.map(({ state }) => state.status)}`)
  for (const [i, object] of objects.entries()) inspect(world, records[i] as JobRecord, object, wishes[i] as Wishes)
  return {
    failures: objects.flatMap(({ disk }) => disk.events).filter(({ message }) => message.startsWith('Attempt')).length,
    resumed: objects.flatMap(({ disk }) => disk.events).filter(({ message }) => /goes on from/.test(message)).length,
  }
}

function inspect(world: World, record: JobRecord, { disk, state }: SimulatedObject, wishes: Wishes): void {
  for (const [i, later] of disk.states.entries()) {
    const before = disk.states[i - 1]
    if (!before) continue
    const { status } = before
    assert.ok(status === later.status || NEXT[status].includes(later.status), `${status} became ${later.status}`)
    assert.ok(later.token >= before.token && later.version >= before.version)
    if (before.lease && later.lease) assert.ok(later.lease.token === before.lease.token, 'a lease ends before the next')
    const steps = [before, later].map(({ checkpoint }) => checkpoint?.step ?? -1)
    assert.ok((steps[1] ?? 0) >= (steps[0] ?? 0), 'a checkpoint goes on from the one before')
  }
  if (wishes.cancelled) assert.equal(state.status, 'cancelled')
  else if (record.suffix === 'poisoned') {
    assert.equal(state.status, 'failed')
    assert.match(state.error?.message ?? '', /^3 attempts came no further/)
    assert.ok((state.checkpoint?.step ?? 0) < POISONED_AT)
  } else assert.ok(['succeeded', 'failed', 'cancelled'].includes(state.status))
  const id = modelIdOf(record)
  assert.equal(world.manifests.has(id), state.status === 'succeeded')
  // What was published is what the runner made whose end was taken.
  if (state.status === 'succeeded') {
    const accepted = disk.states.find(({ publishing }) => publishing)?.publishing
    assert.deepEqual(world.manifests.get(id), accepted)
  }
  assert.equal(world.listed.get(record.id)?.job.status, state.status)
  assert.ok(![...world.objects.keys()].some((key) => key.startsWith(`checkpoints/${record.id}/`)), 'it left nothing')
  inspectEvents(disk.events, disk.states)
}

function inspectEvents(events: SimulatedObject['disk']['events'], states: readonly JobState[]): void {
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length)
  let last = 0
  for (const { message, data } of events) {
    if (/started|goes on from/.test(message)) last = Number(/step (\d+)/.exec(message)?.[1] ?? 0)
    if (!data || !('train' in data)) continue
    // At the end a step may be told of more than once, since it is waited for there.
    assert.ok(data.step === last + 1 || (data.step === STEPS && last === STEPS), `${data.step} follows ${last}`)
    last = data.step
  }
  const ended = states.findIndex(hasEnded)
  assert.ok(states.slice(ended).every(({ status }) => status === states[ended]?.status))
}

describe('a job', () => {
  test(`comes to one end, whatever happens on the way: ${SEEDS} seeds`, async () => {
    let failures = 0
    let resumed = 0
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const found = await simulate(seed)
      failures += found.failures
      resumed += found.resumed
    }
    // Otherwise nothing was tried.
    assert.ok(failures > SEEDS && resumed > SEEDS)
  })
})

/**
 * Responses on a simulated clock, network and storage: whatever breaks, each ends once, readers see one and the same
 * stream of events, and what was kept is not lost. A failing seed is replayed by `SEED=n`.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ApiError } from '#protocol/error.ts'
import type { GenerationEvent, GenerationRequest } from '#protocol/generation.ts'
import { responseRequestSchema } from '#protocol/responses.ts'
import { validate } from '../http/validate.ts'
import { randomFrom } from '../testing/random.ts'
import { SEEDS, seeds } from '../testing/seeds.ts'
import type { ResponseRecord } from './record.ts'
import { toRecord } from './request.ts'
import { type KeptResponse, ResponseRun, type ResponseStore } from './response-run.ts'
import { WritePace } from './write-pace.ts'
import type { LogEntry } from './writer.ts'

const MOST_STEPS = 5000

class Clock {
  now = 1_000_000
  readonly #timers: { at: number; wake: () => void }[] = []

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#timers.push({ at: this.now + ms, wake: resolve })
      signal?.addEventListener('abort', () => resolve())
    })
  }
  /** Lets all that can go on do so, then moves to the next moment that something waits for. */
  async step(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#timers.sort((a, b) => a.at - b.at)
    const next = this.#timers.shift()
    if (!next) return false
    this.now = Math.max(this.now, next.at)
    next.wake()
    return true
  }
}

/** A disk: what was not synced may be lost in a crash, from its end. */
class Disk implements ResponseStore {
  readonly #clock: Clock
  readonly #random: () => number
  record: ResponseRecord | undefined
  entries: LogEntry[] = []
  settled = false
  #durable = { count: 0, settled: false }

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }
  load(): KeptResponse | null {
    return this.record ? { record: this.record, log: [...this.entries], settled: this.settled } : null
  }
  begin(record: ResponseRecord): void {
    this.record = record
  }
  append(first: number, entries: readonly LogEntry[]): void {
    assert.equal(first, this.entries.length, 'the log has no gap')
    this.entries.push(...(JSON.parse(JSON.stringify(entries)) as LogEntry[]))
  }
  markSettled(): void {
    this.settled = true
  }
  clear(): void {
    this.record = undefined
    this.entries = []
  }
  async sync(): Promise<void> {
    const durable = { count: this.entries.length, settled: this.settled }
    await this.#clock.sleep(this.#random() * 30)
    this.#durable = durable
  }
  /** As one process sees it; after its crash it writes nothing, and waits for ever. */
  of(life: { readonly alive: boolean }): ResponseStore {
    const never = () => new Promise<void>(() => {})
    return {
      load: () => this.load(),
      begin: (record) => this.begin(record),
      append: (first, entries) => life.alive && this.append(first, entries),
      markSettled: () => life.alive && this.markSettled(),
      clear: () => this.clear(),
      sync: async () => {
        if (life.alive) await this.sync()
        if (!life.alive) await never()
      },
    }
  }
  crash(): void {
    const lost = Math.floor(this.#random() * (this.entries.length - this.#durable.count + 1))
    this.entries.length -= lost
    if (!this.#durable.settled && this.#random() < 0.5) this.settled = false
  }
}

const tokensOf = (seed: number) => {
  const random = randomFrom(seed)
  return Array.from({ length: 1 + Math.floor(random() * 30) }, (_, i) => i * 100 + Math.floor(random() * 100))
}
const START: GenerationEvent = { type: 'generation-start', model: 'm', fingerprint: 'fp', promptTokens: 1 }
const finish = (tokens: number): GenerationEvent => ({
  type: 'generation-finish',
  finishReason: 'stop',
  usage: { promptTokens: 1, completionTokens: tokens, cachedTokens: 0 },
  timings: { queueMs: 0, promptMs: 0, promptPerSecond: 0, generationMs: 0, generationPerSecond: 0 },
})

/** A runner that says the request's tokens, each at a time, and now and then is away, dies or refuses. */
class FlakyRunner {
  readonly #clock: Clock
  readonly #random: () => number
  /** Chance of a fault at each event, and how many there may be. */
  faults: number
  active = 0

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
    this.faults = Math.floor(random() * 8)
  }
  #fails(chance: number): boolean {
    if (this.faults === 0 || this.#random() >= chance) return false
    this.faults--
    return true
  }
  async generate(request: GenerationRequest, signal: AbortSignal): Promise<AsyncIterable<GenerationEvent>> {
    await this.#clock.sleep(this.#random() * 20, signal)
    if (signal.aborted) throw new Error('gone')
    if (this.#fails(0.2)) throw new ApiError('runner_unavailable', 'away')
    return this.#say(request, signal)
  }
  async *#say({ seed, resume }: GenerationRequest, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    this.active++
    try {
      yield START
      const tokens = tokensOf(seed ?? 0)
      // What was said before is what it would have said itself.
      assert.deepEqual(resume?.tokens, tokens.slice(0, resume?.tokens.length))
      for (let i = resume?.events ?? 0; i < tokens.length; i++) {
        await this.#clock.sleep(this.#random() * 400, signal)
        if (signal.aborted) throw new Error('gone')
        if (this.#fails(0.25)) throw new ApiError('runner_failed', 'died')
        yield { type: 'text-delta', text: `${tokens[i]} `, ids: [tokens[i] as number] }
      }
      yield finish(tokens.length)
    } finally {
      this.active--
    }
  }
}

function recordOf(seed: number, background: boolean): ResponseRecord {
  const request = validate(responseRequestSchema, { model: 'm', input: 'x', background })
  return toRecord({
    request,
    id: `resp_${seed.toString(16).padStart(32, '0')}`,
    account: { owner: 'o', keyId: null, limits: null },
    requestId: 'r',
    now: 1_000_000,
    seed,
    input: [
      { id: 'msg_1', type: 'message', role: 'user', status: 'completed', content: [{ type: 'input_text', text: 'x' }] },
    ],
  })
}

/** One process's: from its start to its crash. */
interface Life {
  readonly run: ResponseRun
  readonly crashed: PromiseWithResolvers<void>
}

/** Reads events from where it stopped, and is cut off now and then. `onEnd` is called when it hears of the end. */
async function read(
  current: () => Life,
  clock: Clock,
  random: () => number,
  log: string[],
  onEnd: () => void,
): Promise<void> {
  for (;;) {
    const { run, crashed } = current()
    const texts = run.read(log.length - 1)
    for (;;) {
      const next = await Promise.race([texts.next(), crashed.promise])
      if (!next || next.done) break
      const events = next.value.split(/(?<=\n\n)/)
      const heard = random() < 0.2 ? Math.floor(random() * events.length) : events.length
      log.push(...events.slice(0, heard))
      if (log.at(-1)?.match(/^event: response\.(completed|failed|incomplete)$/m)) {
        onEnd()
        return
      }
      if (heard < events.length) break
    }
    await clock.sleep(10)
  }
}

describe('a response, whatever breaks', () => {
  test(`ends once, the same for all who read (${SEEDS} seeds)`, async () => {
    const ends: Record<string, number> = {}
    const all = seeds()
    for (const seed of all) {
      const status = await play(seed)
      ends[status] = (ends[status] ?? 0) + 1
    }
    if (all.length === 1) return
    for (const status of ['completed', 'failed', 'cancelled']) {
      assert.ok((ends[status] ?? 0) > 5, `the faults are such that some end ${status}: ${JSON.stringify(ends)}`)
    }
  })
})

async function play(seed: number): Promise<string> {
  const random = randomFrom(seed)
  const clock = new Clock()
  const disk = new Disk(clock, random)
  const runner = new FlakyRunner(clock, random)
  let settled = 0
  let settleFaults = random() < 0.2 ? 1 : 0
  let settleFailed = false
  /** Tokens, each time that it is to be written down. */
  const charged: number[] = []
  /** A crash leaves the old one behind: nothing that it does afterwards may count. */
  const start = (): Life => {
    const life = { alive: true }
    const crashed = Promise.withResolvers<void>()
    void crashed.promise.then(() => {
      life.alive = false
    })
    const here = async () => {
      if (!life.alive) await new Promise(() => {})
    }
    const run = new ResponseRun({
      store: disk.of(life),
      async generate(request, signal) {
        const events = await runner.generate(request, signal)
        return (async function* () {
          for await (const event of events) {
            await here()
            yield event
          }
        })()
      },
      now: () => clock.now,
      pace: new WritePace(),
      async sleep(ms, signal) {
        await clock.sleep(ms, signal)
        await here()
      },
      async settle(_record, _response, used) {
        await here()
        charged.push(used?.completionTokens ?? 0)
        await clock.sleep(random() * 30)
        await here()
        if (settleFaults-- > 0) {
          settleFailed = true
          throw new Error('the database is away')
        }
        settled++
      },
    })
    return { run, crashed }
  }
  let life = start()
  try {
    await until(clock, life.run.begin(recordOf(seed, random() < 0.3)))
  } catch (error) {
    assert.ok(error instanceof ApiError, `seed ${seed}: ${String(error)}`)
    assert.equal(disk.load(), null, `seed ${seed}: a refused one leaves nothing`)
    return 'refused'
  }
  await until(clock, disk.sync())
  const logs: string[][] = [[], [], []]
  const onEnd = () => assert.ok(settled > 0 || settleFailed, `seed ${seed}: what it left is there when its end is told`)
  const readers = logs.map((log) => read(() => life, clock, random, log, onEnd))
  const cancelAt = random() < 0.2 ? Math.floor(random() * 40) : -1
  const crashes = new Set(Array.from({ length: Math.floor(random() * 3) }, () => Math.floor(random() * 60)))
  let over = false
  let failure: unknown
  Promise.all(readers).then(
    () => {
      over = true
    },
    (error: unknown) => {
      failure = error
    },
  )
  let cancelled = false
  for (let step = 0; !(over && disk.settled); step++) {
    assert.ok(step < MOST_STEPS, `seed ${seed} does not end`)
    if (failure !== undefined) throw failure
    if (step === cancelAt) {
      cancelled = true
      life.run.cancel().catch(() => {})
    }
    if (crashes.has(step)) {
      life.crashed.resolve()
      await life.crashed.promise
      disk.crash()
      life = start()
    }
    // What the object's alarm does.
    life.run.resume()
    await clock.step()
  }
  const [first = []] = logs
  for (const log of logs) assert.deepEqual(log, first, `seed ${seed}: all read the same`)
  const events = first.map(
    (text) =>
      JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '') as { type: string; sequence_number: number; delta?: string },
  )
  assert.deepEqual(
    events.map(({ sequence_number }) => sequence_number),
    events.map((_, i) => i),
  )
  const terminal = events.filter(({ type }) => /^response\.(completed|failed|incomplete)$/.test(type))
  assert.equal(terminal.length, 1, `seed ${seed}: one end`)
  const said = events.flatMap(({ delta }) => delta ?? []).join('')
  const whole = tokensOf(seed)
    .map((token) => `${token} `)
    .join('')
  assert.ok(whole.startsWith(said), `seed ${seed}: nothing else is said`)
  const status = life.run.response?.status ?? ''
  if (status === 'completed') assert.equal(said, whole, `seed ${seed}: it is whole`)
  assert.ok(settled >= 1, `seed ${seed}: it was settled`)
  const deltas = events.filter(({ delta }) => delta !== undefined).length
  for (const tokens of charged) assert.equal(tokens, deltas, `seed ${seed}: what was said is what is charged`)
  if (status === 'cancelled') assert.ok(cancelled)
  return status
}

describe('a response', () => {
  test('ends in its one error within two seconds when no runner comes back', async () => {
    const clock = new Clock()
    const disk = new Disk(clock, () => 0.1)
    const diedAt = clock.now + 100
    const run = new ResponseRun({
      store: disk,
      async generate() {
        if (clock.now >= diedAt) throw new ApiError('runner_unavailable', 'away')
        return (async function* (): AsyncGenerator<GenerationEvent> {
          yield START
          await clock.sleep(diedAt - clock.now)
          throw new ApiError('runner_failed', 'died')
        })()
      },
      now: () => clock.now,
      sleep: (ms, signal) => clock.sleep(ms, signal),
      pace: new WritePace(),
      async settle() {
        await clock.sleep(20)
      },
    })
    await until(clock, run.begin(recordOf(1, false)))
    await until(clock, run.whole())
    assert.equal(run.response?.status, 'failed')
    assert.ok(clock.now - diedAt <= 2_000, `${clock.now - diedAt} ms`)
    assert.ok(clock.now - diedAt > 1_500, 'it held out as long as it could')
  })

  test('where writing is slow keeps more at a time, but for the first of its text and its end', async () => {
    const clock = new Clock()
    const tokens = Array.from({ length: 40 }, (_, i) => i)
    const writes: { at: number; count: number }[] = []
    const said: number[] = []
    const run = new ResponseRun({
      store: {
        load: () => null,
        begin() {},
        append: (_first, entries) => void writes.push({ at: clock.now, count: entries.length }),
        markSettled() {},
        clear() {},
        sync: () => clock.sleep(200),
      },
      async generate() {
        return (async function* (): AsyncGenerator<GenerationEvent> {
          yield START
          for (const token of tokens) {
            await clock.sleep(token === 0 ? 300 : 50)
            said.push(clock.now)
            yield { type: 'text-delta', text: `${token} `, ids: [token] }
          }
          said.push(clock.now)
          yield finish(tokens.length)
        })()
      },
      now: () => clock.now,
      sleep: (ms, signal) => clock.sleep(ms, signal),
      pace: new WritePace(),
      async settle() {},
    })
    await until(clock, run.begin(recordOf(1, false)))
    await until(clock, run.whole())
    assert.equal(writes[1]?.at, said[0], 'the first of its text at once')
    assert.ok((writes.at(-1)?.at ?? 0) - (said.at(-1) ?? 0) <= 200, 'the end as soon as the disk is free')
    assert.ok(writes.length < 12, `${writes.length} writes`)
    assert.equal(
      writes.reduce((sum, { count }) => sum + count, 0),
      tokens.length + 2,
    )
  })

  test('asks once, however the steps of keeping and of hearing fall together', async () => {
    const ticks = async (count: number) => {
      for (let i = 0; i < count; i++) await undefined
    }
    for (let keeping = 0; keeping < 12; keeping++) {
      for (let hearing = 0; hearing < 12; hearing++) {
        const tokens = tokensOf(3)
        let asked = 0
        const run = new ResponseRun({
          store: {
            load: () => null,
            begin() {},
            append() {},
            markSettled() {},
            clear() {},
            sync: () => ticks(keeping),
          },
          async generate() {
            asked++
            return (async function* (): AsyncGenerator<GenerationEvent> {
              yield START
              for (const token of tokens) {
                await ticks(hearing)
                yield { type: 'text-delta', text: `${token} `, ids: [token] }
              }
              await ticks(hearing)
              yield finish(tokens.length)
            })()
          },
          now: () => 0,
          sleep: () => new Promise((resolve) => setImmediate(resolve)),
          pace: new WritePace(),
          async settle() {},
        })
        await run.begin(recordOf(3, false))
        await run.whole()
        assert.equal(asked, 1, `${keeping} and ${hearing} steps`)
        const deltas: string[] = []
        for await (const text of run.read(-1))
          deltas.push(...text.matchAll(/"delta":"(\d+) "/g).map(([, n]) => n ?? ''))
        assert.deepEqual(deltas, tokens.map(String), `${keeping} and ${hearing} steps`)
      }
    }
  })
})

/** Moves the clock until `done` settles. */
async function until<T>(clock: Clock, done: Promise<T>): Promise<T> {
  let settled = false
  const settle = () => {
    settled = true
  }
  done.then(settle, settle)
  while (!settled) await clock.step()
  return done
}

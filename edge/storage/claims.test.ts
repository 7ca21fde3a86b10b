/**
 * Requests with one Idempotency-Key at the same time, on a simulated clock: each step of each is a step of the database's,
 * taken in any order; some edges are killed between two steps, some answers fail, some take longer than their claim.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '#protocol/error.ts'
import { randomFrom } from '../testing/random.ts'
import { SEEDS, seeds } from '../testing/seeds.ts'
import { memoryDatabase } from '../testing/sqlite.ts'
import { abandon, CLAIM_MS, claim, fulfil } from './claims.ts'
import type { Database, Statement } from './database.ts'

const START = Date.UTC(2026, 10, 15, 12)

test(`one key has one answer, and is free again when nobody works (${SEEDS} seeds)`, async () => {
  const database = await memoryDatabase()
  for (const seed of seeds()) await play(database, seed)
})

/** Lets one thing happen at a time, whichever the seed says. */
class Turns {
  readonly #waiting: (() => void)[] = []
  #going: number

  /** @param players so many are about to wait for their first turn */
  constructor(players: number) {
    this.#going = players
  }

  wait(): Promise<void> {
    this.#going--
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Whoever has the turn takes no more. */
  leave(): void {
    this.#going--
  }

  /** Whether there was anything left to happen. */
  async next(pick: (n: number) => number): Promise<boolean> {
    // Whoever goes on gets to its next step first: a digest comes from another thread, when it likes.
    while (this.#going > 0) await new Promise(setImmediate)
    const [resolve] = this.#waiting.splice(pick(this.#waiting.length), 1)
    if (resolve !== undefined) this.#going++
    resolve?.()
    return resolve !== undefined
  }
}

/** A database that an edge reaches step by step; when that is killed, it waits for ever, before the step or after it. */
function stepwise(statement: Statement, step: <T>(run: () => Promise<T>) => Promise<T>): Statement {
  return {
    bind: (...values) => stepwise(statement.bind(...values), step),
    first: <Row>() => step(() => statement.first<Row>()),
    all: <Row>() => step(() => statement.all<Row>()),
    run: () => step(() => statement.run()),
  }
}

type Outcome = { readonly answer: string } | { readonly refused: string } | { readonly failed: true }

async function play(database: Database, seed: number): Promise<void> {
  const random = randomFrom(seed)
  const below = (n: number) => Math.floor(random() * n)
  const requests = 2 + below(5)
  const turns = new Turns(requests)
  let now = START
  const key = `seed-${seed}`
  const request = (body: number) => ({ owner: 'ann', key, request: `POST / ${body}`, now })
  const outcomes: { body: number; outcome: Outcome }[] = []
  /** When each that works claimed the key. */
  const working = new Map<object, number>()
  let answers = 0
  let isKept = false

  async function ask(body: number, dies: number, fails: boolean): Promise<void> {
    let steps = 0
    /** When its last step was taken. */
    let steppedAt = now
    const mayDie = async (): Promise<void> => {
      if (steps++ !== dies) return
      turns.leave()
      await new Promise(() => {})
    }
    const step = async <T>(run: () => Promise<T>): Promise<T> => {
      await turns.wait()
      await mayDie()
      steppedAt = now
      const result = await run()
      await mayDie()
      return result
    }
    const own: Database = {
      prepare: (sql) => stepwise(database.prepare(sql), step),
      batch: (statements) => step(() => database.batch(statements)),
    }
    const me = {}
    const work = async (): Promise<Outcome> => {
      const mine = request(body)
      const claimed = await claim(own, mine)
      if (!('holder' in claimed)) return { answer: claimed.body }
      assert.ok(!isKept, `seed ${seed}: nobody works on what is answered`)
      // Those that were at work when the key was given: one may have lost it to another that gave it up since.
      for (const since of working.values()) assert.ok(steppedAt - since >= CLAIM_MS, `seed ${seed}: two at work`)
      working.set(me, mine.now)
      await step(async () => {})
      working.delete(me)
      if (fails) {
        await abandon(own, claimed)
        return { failed: true }
      }
      const written = { body: `answer ${answers++} to ${body}`, headers: { 'x-served-by': 'runner' } }
      const kept = await fulfil(own, claimed, written, now)
      return { answer: kept.body }
    }
    const outcome = await work().catch((error: unknown): Outcome => {
      if (error instanceof ApiError) return { refused: error.code }
      throw error
    })
    if ('answer' in outcome) isKept = true
    outcomes.push({ body, outcome })
  }

  const asked = Array.from({ length: requests }, async () => {
    const dies = random() < 0.3 ? below(14) : -1
    await turns.wait()
    await ask(random() < 0.8 ? 1 : 2, dies, random() < 0.2).finally(() => turns.leave())
  })
  // Those that were killed never settle; whatever else is thrown is this test's.
  for (const one of asked) one.catch(fail)
  let failure: unknown
  function fail(error: unknown) {
    failure ??= error
  }
  while (await turns.next(below)) {
    if (failure !== undefined) throw failure
    now += random() < 0.1 ? CLAIM_MS : below(2000)
  }
  if (failure !== undefined) throw failure

  const given = new Set(outcomes.flatMap(({ outcome }) => ('answer' in outcome ? [outcome.answer] : [])))
  assert.ok(given.size <= 1, `seed ${seed}: ${[...given].join(', ')}`)
  for (const { body, outcome } of outcomes) {
    if ('answer' in outcome) assert.match(outcome.answer, new RegExp(`to ${body}$`), `seed ${seed}: another's answer`)
    else if ('refused' in outcome) {
      assert.ok(['request_in_flight', 'idempotency_key_reused'].includes(outcome.refused), `seed ${seed}`)
    }
  }
  // Whoever was killed is forgotten in the end; what was answered is not.
  now += CLAIM_MS
  const [answer] = given
  const body = answer === undefined ? 1 : Number(answer.at(-1))
  const later = await claim(database, request(body)).catch((error: unknown) => error)
  if (answer !== undefined) assert.equal((later as { body: string }).body, answer, `seed ${seed}: it is given again`)
  else if (later instanceof ApiError) {
    // The other body's answer was kept right before its edge was killed.
    assert.equal(later.code, 'idempotency_key_reused', `seed ${seed}`)
    const other = await claim(database, request(2))
    assert.ok('body' in other, `seed ${seed}: the key is free, or has an answer`)
  } else assert.ok('holder' in (later as object) || 'body' in (later as object))
}

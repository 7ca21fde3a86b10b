/** Whoever got an answer from a model at the edge finds it in the ledger, whenever the edge was killed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LONGEST_WAIT_MS } from '#edge/accounts/group-commit.ts'
import { startEdge } from '#edge/testing/edge.ts'
import { randomFrom } from '#edge/testing/random.ts'
import { descendantsOf } from '../support/processes.ts'
import { COLUMNS, detector, publish, ROW_SCORER, ROWS } from './models.ts'

const KILLS = Number(process.env.FAULTS ?? 3)
const AT_ONCE = 32
const SEED = Number(process.env.SEED ?? 1)
/** Of those who leave, so many one after the other each. */
const LEAVINGS = 20

test(`what was delivered is written down, over ${KILLS} kills`, async () => {
  const edge = await startEdge()
  try {
    await publish(edge, 'sensors', { parts: detector(ROWS, ROW_SCORER), files: [ROW_SCORER] })
    const { id, key } = await edge.newKey()
    const random = randomFrom(SEED)
    const body = { model: 'sensors', rows: [COLUMNS.map(() => 0)] }
    let delivered = 0
    let asked = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const enough = delivered + 20 + Math.floor(random() * 100)
      const reached = Promise.withResolvers<void>()
      const killed = new AbortController()
      const asking = Array.from({ length: AT_ONCE }, async () => {
        while (!killed.signal.aborted) {
          asked++
          const response = await edge.ask('/v1/anomalies', { key, body }).catch(() => null)
          if (response === null) return
          assert.equal(response.status, 200)
          delivered++
          if (delivered === enough) reached.resolve()
        }
      })
      await reached.promise
      killed.abort()
      const [workerd] = descendantsOf(process.pid).filter(({ command }) => command.includes('workerd serve'))
      assert.ok(workerd)
      process.kill(workerd.pid, 'SIGKILL')
      await Promise.all(asking)
      await edge.kill()
    }
    assert.equal((await edge.ask(`/v1/usage?start_time=${Math.floor(Date.now() / 1000) - 60}`)).status, 200)
    const row = await edge.database
      .prepare('SELECT COUNT(*) AS rows FROM usage WHERE key_id = ?')
      .bind(id)
      .first<{ rows: number }>()
    const rows = row?.rows ?? 0
    assert.ok(rows >= delivered, `${delivered} were delivered, ${rows} are written down`)
    // No more than were at work when it was killed have been written down for nobody.
    assert.ok(rows <= delivered + KILLS * AT_ONCE && rows <= asked, `${rows} of ${asked} asked, ${delivered} delivered`)
  } finally {
    await edge.stop()
  }
})

test('whoever leaves while rows are kept holds up nobody who stays', async () => {
  const edge = await startEdge()
  try {
    await publish(edge, 'sensors', { parts: detector(ROWS, ROW_SCORER), files: [ROW_SCORER] })
    const body = { model: 'sensors', rows: [COLUMNS.map(() => 0)] }
    await edge.ask('/v1/anomalies', { body })
    const random = randomFrom(SEED)
    const { id, key } = await edge.newKey()
    let left = 0
    let answered = 0
    let slowest = 0
    const leave = async () => {
      for (let i = 0; i < LEAVINGS; i++) {
        const gone = AbortSignal.timeout(Math.floor(random() * 20))
        await edge.ask('/v1/anomalies', { body, signal: gone }).catch(() => left++)
      }
    }
    const leaving = Promise.all(Array.from({ length: AT_ONCE / 2 }, leave)).then(() => {
      isOver = true
    })
    let isOver = false
    const stay = async () => {
      while (!isOver) {
        const since = performance.now()
        assert.equal((await edge.ask('/v1/anomalies', { key, body })).status, 200)
        slowest = Math.max(slowest, performance.now() - since)
        answered++
      }
    }
    await Promise.all([leaving, ...Array.from({ length: AT_ONCE / 2 }, stay)])
    assert.ok(left > 0 && answered > 0, `${left} left, ${answered} were answered`)
    assert.ok(slowest < LONGEST_WAIT_MS, `somebody waited ${Math.round(slowest)} ms`)
    assert.equal((await edge.ask(`/v1/usage?start_time=${Math.floor(Date.now() / 1000) - 60}`)).status, 200)
    const rows = edge.database.prepare('SELECT COUNT(*) AS rows FROM usage WHERE key_id = ?').bind(id)
    assert.equal((await rows.first<{ rows: number }>())?.rows, answered)
    assert.deepEqual(edge.logs, [])
  } finally {
    await edge.stop()
  }
})

/** Who is written when, with whom, and what becomes of the others if a write fails or never ends. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { GroupCommit, LONGEST_WAIT_MS, MOST_ITEMS } from './group-commit.ts'

interface Write {
  readonly items: readonly string[]
  readonly by: string
  readonly end: () => void
  readonly fail: (error: Error) => void
}

describe('a group commit', () => {
  let commits: GroupCommit<string>
  let writes: Write[]
  let kept: Promise<unknown>[]

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    commits = new GroupCommit()
    writes = []
    kept = []
  })
  afterEach(() => mock.timers.reset())

  const commit = (item: string) =>
    commits.commit(item, {
      write: (items) => new Promise((resolve, reject) => writes.push({ items, by: item, end: resolve, fail: reject })),
      keep: (work) => kept.push(work),
    })
  /** All that can happen without more time has happened. */
  const settled = () => new Promise(setImmediate)
  /** The moment in which a writer gathers others has passed. */
  const gathered = async () => {
    for (let turns = 0; turns < 3; turns++) {
      await settled()
      mock.timers.tick(0)
    }
    await settled()
  }
  const itemsOf = () => writes.map(({ items }) => items)

  it('writes a lone item at once, and nobody waits for it afterwards', async () => {
    for (const [i, item] of ['a', 'b'].entries()) {
      const done = commit(item)
      await gathered()
      writes[i]?.end()
      await done
    }
    assert.deepEqual(itemsOf(), [['a'], ['b']])
  })

  it('writes together what comes in the same moment, and settles none before', async () => {
    let isDone = false
    const all = Promise.all(['a', 'b', 'c'].map(commit)).then(() => {
      isDone = true
    })
    await gathered()
    assert.deepEqual([itemsOf(), isDone], [[['a', 'b', 'c']], false])
    writes[0]?.end()
    await all
    assert.equal(writes.length, 1)
  })

  it('writes what comes during a write in the next one, by the first that came', async () => {
    const first = commit('a')
    await gathered()
    const others = ['b', 'c', 'd'].map(commit)
    await gathered()
    assert.deepEqual(itemsOf(), [['a']])
    writes[0]?.end()
    await first
    await gathered()
    assert.deepEqual(itemsOf(), [['a'], ['b', 'c', 'd']])
    assert.equal(writes[1]?.by, 'b')
    writes[1]?.end()
    await Promise.all(others)
  })

  it('fails all that were in a write that failed, and goes on with the next', async () => {
    const failing = Promise.allSettled(['a', 'b'].map(commit))
    await gathered()
    const next = commit('c')
    const error = new Error('full')
    writes[0]?.fail(error)
    assert.deepEqual(await failing, [
      { status: 'rejected', reason: error },
      { status: 'rejected', reason: error },
    ])
    await gathered()
    assert.deepEqual(itemsOf(), [['a', 'b'], ['c']])
    writes[1]?.end()
    await next
    const later = commit('d')
    await gathered()
    writes[2]?.end()
    await later
  })

  it('is not held up for ever by a writer that is gone', async () => {
    // Its request was cut off: its write never ends.
    void commit('gone')
    await gathered()
    const waiting = [commit('a'), commit('b')]
    await gathered()
    assert.equal(writes.length, 1)
    mock.timers.tick(LONGEST_WAIT_MS)
    await gathered()
    assert.deepEqual(new Set(writes.slice(1).flatMap(({ items }) => items)), new Set(['a', 'b']))
    for (const { end } of writes.slice(1)) end()
    await Promise.all(waiting)
    const after = commit('c')
    await gathered()
    writes.at(-1)?.end()
    await after
    assert.deepEqual(itemsOf().at(-1), ['c'])
  })

  it('writes no more than so many at once', async () => {
    const all = Array.from({ length: MOST_ITEMS + 5 }, (_, i) => commit(String(i)))
    await gathered()
    writes[0]?.end()
    await gathered()
    writes[1]?.end()
    await Promise.all(all)
    assert.deepEqual(
      writes.map(({ items }) => items.length),
      [MOST_ITEMS, 5],
    )
  })

  it('keeps whoever writes or may have to', async () => {
    void commit('a')
    await gathered()
    assert.equal(kept.length, 1)
    const waiting = commit('b')
    assert.equal(kept.length, 2)
    writes[0]?.end()
    await gathered()
    writes[1]?.end()
    await waiting
    await Promise.all(kept)
  })
})

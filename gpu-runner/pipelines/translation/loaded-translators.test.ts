import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LoadedTranslators } from './loaded-translators.ts'
import type { TextTranslator } from './text-translator.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Models that are nothing but their names, and a list of what became of them. */
function world(bounds: { mostModels: number; mostBytes: number }) {
  const loaded = new LoadedTranslators(bounds)
  const log: string[] = []
  const model = (key: string, bytes = 1) => ({
    key,
    bytes,
    load: async () => {
      log.push(`load ${key}`)
      // Who uses it here asks nothing of it.
      return { [Symbol.dispose]: () => void log.push(`drop ${key}`) } as TextTranslator
    },
  })
  /** @returns what lets go of it */
  const hold = (key: string, bytes?: number) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const done = loaded.use(model(key, bytes), async () => {
      log.push(`use ${key}`)
      await promise
    })
    return async () => {
      resolve()
      await done
    }
  }
  return { loaded, log, model, hold, touch: (key: string, bytes?: number) => hold(key, bytes)() }
}

test('the one used longest ago makes room, by number and by bytes', async () => {
  const { loaded, log, touch } = world({ mostModels: 3, mostBytes: 10 })
  for (const key of ['a', 'b', 'c', 'a', 'd']) await touch(key)
  assert.deepEqual(loaded.keys, ['c', 'a', 'd'])
  assert.deepEqual(log.filter((line) => !line.startsWith('use')).toSorted(), [
    'drop b',
    'load a',
    'load b',
    'load c',
    'load d',
  ])
  await touch('large', 9)
  assert.deepEqual(loaded.keys, ['d', 'large'])
  await touch('too large', 11)
  assert.deepEqual(loaded.keys, ['too large'])
  loaded[Symbol.dispose]()
  await turn()
  assert.equal(log.at(-1), 'drop too large')
})

test('one that translates stays, and who wants another waits', async () => {
  const { loaded, log, hold } = world({ mostModels: 2, mostBytes: 10 })
  const [a, b] = [hold('a'), hold('b')]
  const c = hold('c')
  const again = hold('a')
  await turn()
  assert.deepEqual(log, ['load a', 'load b', 'use a', 'use b', 'use a'])
  await a()
  await turn()
  assert.deepEqual(loaded.keys.toSorted(), ['a', 'b'])
  await again()
  await turn()
  assert.deepEqual(log.slice(5).toSorted(), ['drop a', 'load c', 'use c'])
  await Promise.all([b(), c()])
  assert.deepEqual(loaded.keys.toSorted(), ['b', 'c'])
})

test('what cannot be loaded takes no room, and is tried again', async () => {
  const { loaded, model } = world({ mostModels: 1, mostBytes: 10 })
  const broken = { ...model('a'), load: () => Promise.reject(new Error('broken')) }
  await assert.rejects(
    loaded.use(broken, async () => {}),
    /broken/,
  )
  assert.deepEqual(loaded.keys, [])
  assert.equal(await loaded.use(model('a'), async () => 'done'), 'done')
})

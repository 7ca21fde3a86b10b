import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { defaultModel } from '#models/catalogue/catalogue.ts'
import type { CatalogueEntry } from '#models/catalogue/schema.ts'
import { ApiError } from '#protocol/error.ts'
import { type Loaded, ModelPool } from './model-pool.ts'

class FakeModel implements Loaded {
  readonly engine = {
    requests: 0,
    died: new Promise<never>(() => {}),
    unload: async () => {
      this.unloaded = true
    },
  }
  unloaded = false
}

/** Models a to e of these sizes, with room for 100 bytes. */
function pool(sizes: Readonly<Record<string, number>>, broken: readonly string[] = []) {
  const entries = Object.entries(sizes).map(([id, size]): CatalogueEntry => {
    const entry = defaultModel('chat')
    return { ...entry, id, file: { ...entry.file, size } }
  })
  const loads: string[] = []
  const models = new Map<string, FakeModel>()
  let time = 0
  const made = new ModelPool<FakeModel>({
    installed: () => entries,
    async load({ id }) {
      loads.push(id)
      await turn()
      if (broken.includes(id)) throw new Error('its file is broken')
      const model = new FakeModel()
      models.set(id, model)
      return model
    },
    bytesOf: ({ file }) => file.size,
    mostBytes: 100,
    log: () => {},
    now: () => ++time,
  })
  const refusal = (id: string): ApiError => {
    try {
      made.find(id)
    } catch (error) {
      assert.ok(error instanceof ApiError)
      return error
    }
    assert.fail(`${id} is loaded`)
  }
  const settle = async () => {
    for (let i = 0; i < 10; i++) await turn()
  }
  return { pool: made, loads, models, refusal, settle }
}

test('a model is loaded when it is asked for, once, and refused until then', async () => {
  const { pool: models, loads, refusal, settle } = pool({ a: 10 })
  for (let i = 0; i < 3; i++) {
    const { code, retryAfter } = refusal('a')
    assert.equal(code, 'model_loading')
    assert.ok(retryAfter && retryAfter >= 1)
  }
  await settle()
  assert.ok(models.find('a'))
  assert.deepEqual(loads, ['a'])
  assert.equal(refusal('z').code, 'model_not_found')
})

test('the least recently used makes room, unless it is at work', async () => {
  const { pool: models, models: made, refusal, settle } = pool({ a: 40, b: 40, c: 40, d: 101 })
  for (const id of ['a', 'b']) {
    refusal(id)
    await settle()
  }
  models.find('a')
  refusal('c')
  await settle()
  assert.ok(made.get('b')?.unloaded && models.find('a') && models.find('c'))
  for (const id of ['a', 'c']) Object.assign(made.get(id)?.engine ?? {}, { requests: 1 })
  const { code, message } = refusal('b')
  assert.equal(code, 'model_loading')
  assert.match(message, /waits for memory/)
  Object.assign(made.get('c')?.engine ?? {}, { requests: 0 })
  refusal('b')
  await settle()
  assert.ok(made.get('c')?.unloaded && models.find('b') && !made.get('a')?.unloaded)
  assert.match(refusal('d').message, /needs 1 GB of memory/)
})

test('one that cannot be loaded is told of, and tried again', async () => {
  const { loads, refusal, settle } = pool({ a: 10 }, ['a'])
  refusal('a')
  await settle()
  const { code, message } = refusal('a')
  assert.equal(code, 'runner_failed')
  assert.match(message, /its file is broken/)
  assert.equal(refusal('a').code, 'model_loading')
  await settle()
  assert.deepEqual(loads, ['a', 'a'])
})

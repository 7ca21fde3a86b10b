import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Batch, Batches } from './batches.ts'

const text = (length: number, token = 0): number[] => Array<number>(length).fill(token)

function drain(batches: Batches): Batch[] {
  const all: Batch[] = []
  for (let batch = batches.next(); batch; batch = batches.next()) all.push(batch)
  return all
}
const shapes = (batches: readonly Batch[]) => batches.map(({ length, texts }) => [length, texts.map(({ id }) => id)])

test('texts of about one length go together, whoever asked for them', () => {
  const batches = new Batches()
  batches.add({ id: 1, tenant: 'ann', texts: [text(3), text(12), text(4)] })
  batches.add({ id: 2, tenant: 'ben', texts: [text(9), text(5), text(2)] })
  assert.deepEqual(shapes(drain(batches)), [
    [12, [1, 2]],
    [8, [2]],
    [4, [1, 1, 2]],
  ])
})

test('tenants take turns, and one’s own requests wait for each other', () => {
  const batches = new Batches()
  const many = Array.from({ length: 10 }, () => text(256))
  batches.add({ id: 1, tenant: 'ann', texts: many })
  batches.add({ id: 2, tenant: 'ann', texts: [text(100)] })
  batches.add({ id: 3, tenant: 'ben', texts: [text(50)] })
  assert.deepEqual(
    drain(batches).map(({ texts }) => [...new Set(texts.map(({ id }) => id))]),
    [[1], [3], [1], [1], [2]],
  )
})

test('what is cancelled is not computed any more', () => {
  const batches = new Batches()
  batches.add({ id: 1, tenant: 'ann', texts: Array.from({ length: 20 }, () => text(256)) })
  batches.add({ id: 2, tenant: 'ann', texts: [text(4)] })
  batches.next()
  batches.cancel(1)
  assert.deepEqual(shapes(drain(batches)), [[4, [2]]])
})

test('every text is computed once, in batches within their bounds', () => {
  const requests = fc.array(
    fc.record({
      tenant: fc.constantFrom('ann', 'ben', 'cid'),
      lengths: fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 40 }),
    }),
    { maxLength: 8 },
  )
  fc.assert(
    fc.property(requests, (asked) => {
      const batches = new Batches()
      for (const [id, { tenant, lengths }] of asked.entries()) {
        batches.add({ id, tenant, texts: lengths.map((length) => text(length)) })
      }
      const done = drain(batches)
      const computed = done.flatMap(({ texts }) => texts.map(({ id, index }) => `${id}.${index}`))
      const due = asked.flatMap(({ lengths }, id) => lengths.map((_, index) => `${id}.${index}`))
      assert.deepEqual(computed.sort(), due.sort())
      for (const { length, texts } of done) {
        assert.ok(texts.length === 1 || texts.length * length <= 1024)
        for (const { tokens } of texts) assert.ok(tokens.length <= length && tokens.length > length - 4)
      }
    }),
    { numRuns: 300, seed: 20_261_127 },
  )
})

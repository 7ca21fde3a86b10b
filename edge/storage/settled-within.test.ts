import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settledWithin } from './settled-within.ts'

test('what settles in time is what it is, and what does not is late', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const late = () => new Error('late')
  assert.equal(await settledWithin(Promise.resolve(1), 100, late), 1)
  await assert.rejects(settledWithin(Promise.reject(new Error('broken')), 100, late), { message: 'broken' })
  const never = settledWithin(new Promise(() => {}), 100, late)
  t.mock.timers.tick(99)
  const first = await Promise.race([never.then(null, () => 'late'), Promise.resolve('waiting')])
  assert.equal(first, 'waiting')
  t.mock.timers.tick(1)
  await assert.rejects(never, { message: 'late' })
})

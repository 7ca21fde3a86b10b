import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FairQueue } from './fair-queue.ts'

function queue(items: string): FairQueue<string> {
  const made = new FairQueue<string>()
  for (const item of items.split(' ')) made.push(item[0] as string, item)
  return made
}
const drain = (from: FairQueue<string>) => Array.from({ length: from.size }, () => from.take()).join(' ')

test('tenants take turns, each in its own order', () => {
  assert.equal(drain(queue('a1 a2 a3 b1 c1 b2')), 'a1 b1 c1 a2 b2 a3')
})
test('a removed item leaves no trace', () => {
  const items = queue('a1 b1 a2')
  assert.equal(
    items.remove((item) => item === 'b1'),
    true,
  )
  assert.equal(
    items.remove((item) => item === 'b1'),
    false,
  )
  assert.equal(drain(items), 'a1 a2')
})
test('an empty queue gives nothing', () => {
  assert.equal(new FairQueue<string>().take(), undefined)
})

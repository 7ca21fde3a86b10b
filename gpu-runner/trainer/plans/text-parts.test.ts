import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { GraphBuilder } from '#models/graph/builder.ts'
import { Runtime } from '../../runtime/runtime.ts'
import { runnable } from '../../testing/graph-runner.ts'
import { textParts } from './text-parts.ts'

const ort = new Runtime({ threads: 1 })
after(() => ort[Symbol.dispose]())

const partsOf = (batch: number, length: number) => {
  const g = new GraphBuilder('parts')
  return { g, parts: textParts(g, g, { batch, length }) }
}

test('each part has lines of the batch, and the token after each of theirs', () => {
  const { g, parts } = partsOf(6, 256)
  for (const [i, { ids, next }] of parts.entries()) {
    g.output(ids, `ids.${i}`)
    g.output(next, `next.${i}`)
  }
  using graph = runnable(ort, g.build())
  const fed = (name: string) => graph.inputs[name]?.data as BigInt64Array
  for (let i = 0; i < 6 * 256; i++) {
    fed('ids')[i] = BigInt(i)
    fed('next')[i] = BigInt(i + 1)
  }
  graph.run()
  assert.equal(parts.length, 3)
  const read = (name: string) => Array.from(graph.outputs[name]?.data ?? [], Number)
  for (const [i] of parts.entries()) {
    const first = 512 * i
    assert.deepEqual(
      read(`ids.${i}`),
      Array.from({ length: 512 }, (_, j) => first + j),
    )
    assert.deepEqual(
      read(`next.${i}`),
      Array.from({ length: 512 }, (_, j) => first + j + 1),
    )
  }
})

test('parts are four at most, none of fewer than 512 tokens where there are so many', () => {
  const shapes = (batch: number, length: number) => partsOf(batch, length).parts.map(({ ids }) => ids.shape)
  assert.deepEqual(shapes(16, 256), Array(4).fill([4, 256]))
  assert.deepEqual(shapes(4, 256), Array(2).fill([2, 256]))
  assert.deepEqual(shapes(7, 100), [[7, 100]])
  assert.deepEqual(shapes(1, 2048), [[1, 2048]])
  assert.deepEqual(shapes(2, 8), [[2, 8]])
})

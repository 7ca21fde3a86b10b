import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareOut } from './kv-cache.ts'

const GB = 2 ** 30
const KB = 2 ** 10

test('memory is shared out between the length of a context and the number of sequences', () => {
  const cases: [what: string, room: number, kb: number, trained: number, contextLength: number, slots: number][] = [
    ['SmolLM2 135M', 9.6 * GB, 45, 8192, 8192, 27],
    ['the same on a small machine', 1.6 * GB, 45, 8192, 8192, 4],
    ['Llama 3.2 1B', 9.6 * GB, 64, 131_072, 19_660, 8],
    ['Qwen3 0.6B', 9.6 * GB, 224, 40_960, 8192, 5],
    ['a cache for more than is of use', 64 * GB, 45, 2048, 2048, 32],
    ['less than one context of 8,192 tokens', 0.25 * GB, 224, 40_960, 1170, 1],
  ]
  for (const [what, room, kb, trained, contextLength, slots] of cases) {
    const shares = shareOut(room, { bytesPerToken: kb * KB, contextLength: trained })
    assert.deepEqual(shares, { contextLength, slots }, what)
    assert.ok(contextLength * slots * kb * KB <= room)
  }
  assert.throws(() => shareOut(10 * 2 ** 20, { bytesPerToken: 64 * KB, contextLength: 2048 }), RangeError)
})

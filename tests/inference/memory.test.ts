import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { startWorker } from './hosts/workerd.ts'

const MB = 2 ** 20

test('however many models are asked for, the engine’s memory in a Worker stays under 100 MB', async () => {
  const miniflare = await startWorker('crowded-worker.ts')
  try {
    const body = await readFile(new URL('../../models/bundled/emoji-vae/decoder.onnx', import.meta.url))
    const response = await miniflare.dispatchFetch('http://models/', { method: 'POST', body })
    assert.equal(response.status, 200)
    const sizes = (await response.json()) as number[]
    const [first = 0] = sizes
    const last = sizes.at(-1) ?? 0
    // It is the engine's memory, which grows while the cache fills.
    assert.ok(first > 8 * MB && last > first, `${first} to ${last} bytes`)
    assert.ok(last < 100 * MB, `${last} bytes`)
    // And not any more when it is full.
    assert.equal(last, sizes[Math.floor(sizes.length / 2)])
  } finally {
    await miniflare.dispose()
  }
})

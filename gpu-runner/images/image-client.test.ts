import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { bundledFiles } from '#models/bundled/files.ts'
import type { ImageWork } from '#protocol/image-work.ts'
import { ImageClient } from './image-client.ts'

const client = () => new ImageClient({ root: tmpdir(), edge: undefined, secret: 'a secret', threads: 1 })

/** Of a file that ships, which is no generator: it is read, and refused. */
async function work(): Promise<ImageWork> {
  const [[sha256, name] = ['', '']] = await bundledFiles()
  return {
    generator: { sha256, bytes: (await readFile(name)).length },
    input: { kind: 'images', channels: 1, height: 2, width: 2 },
    latents: 2,
    prompt: '',
    seeds: [1],
    scale: 1,
    format: 'png',
  }
}

const never = new AbortController().signal

test('what cannot be drawn is refused, and so is what would wait too long', async () => {
  await using one = client()
  const asked = await work()
  const answers = Array.from({ length: 64 }, () => one.draw(asked, never))
  assert.equal(one.requests, 64)
  assert.throws(() => one.draw(asked, never), /64 requests for pictures are waiting already/)
  for (const answer of await Promise.allSettled(answers)) {
    assert.equal(answer.status, 'rejected')
    assert.match(String(answer.reason), /is not the generator that its manifest says/)
  }
  assert.equal(one.requests, 0)
})

test('whoever waits when the thread ends is told, and the next request starts another', async () => {
  await using one = client()
  const asked = await work()
  const waiting = assert.rejects(one.draw(asked, never), /The thread that draws has ended/)
  await one[Symbol.asyncDispose]()
  await waiting
  await assert.rejects(one.draw(asked, never), /is not the generator that its manifest says/)
})

test('what nobody waits for any more is not drawn', async () => {
  await using one = client()
  const asked = await work()
  const gone = new AbortController()
  const before = one.draw(asked, never)
  const cancelled = one.draw(asked, gone.signal)
  gone.abort()
  await assert.rejects(before)
  assert.deepEqual(await cancelled, [])
})

import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { startTandem } from '../support/tandem.ts'

const SECONDS_TO_READY = 10

test('a home lives on: key, conversations; and the second start is quick', async () => {
  await using first = await startTandem()
  const mode = async (file: string) => ((await stat(file)).mode & 0o777).toString(8)
  assert.equal(await mode(first.keyFile), '600')
  assert.match(first.key, /^tdm_[A-Za-z0-9_-]{43}$/)
  assert.ok(!first.lines.join('\n').includes(first.key), 'the key itself is never printed')

  const made = await first.fetch('/v1/conversations', {
    json: { metadata: { title: 'kept' }, items: [{ type: 'message', role: 'user', content: 'Hello' }] },
  })
  assert.equal(made.status, 200, await made.clone().text())
  const { id } = (await made.json()) as { id: string }
  const { code, signal } = await first.stop()
  assert.deepEqual({ code, signal }, { code: 0, signal: null })

  const started = performance.now()
  await using second = await startTandem({ home: first.home })
  const seconds = (performance.now() - started) / 1000
  assert.ok(seconds < SECONDS_TO_READY, `ready after ${seconds} s`)
  assert.equal(second.key, first.key)
  const kept = await second.fetch(`/v1/conversations/${id}`)
  assert.equal(kept.status, 200, await kept.clone().text())
  assert.deepEqual(((await kept.json()) as { metadata: unknown }).metadata, { title: 'kept' })
})

test('nothing listens beyond loopback', async () => {
  await using tandem = await startTandem()
  const outside = Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address),
  )
  const { port } = new URL(tandem.url)
  for (const address of outside) await assert.rejects(fetch(`http://${address}:${port}/health`))
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200)
})

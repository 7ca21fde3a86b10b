/** Tandem is stopped while a model is trained: at once, and the next start goes on where it was. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import OpenAI from 'openai'
import { bodyOf, is, LONG, messagesOf, pictures, until, upload } from '../jobs/training-site.ts'
import { startTandem } from '../support/tandem.ts'

const STOP_MS = 10_000

test('a job outlives its Tandem', async (t) => {
  const home = await mkdtemp(path.join(tmpdir(), 'tandem-test-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  let id = ''
  {
    await using tandem = await startTandem({ home })
    const client = new OpenAI({ apiKey: tandem.key, baseURL: `${tandem.url}/v1` })
    const file = await upload(client, 'pictures.zip', await pictures(80))
    id = (await client.fineTuning.jobs.create(bodyOf('vae', file, { ...LONG, n_epochs: 120 }))).id
    await until(client, id, ({ estimated_finish }) => estimated_finish !== null)
    const since = performance.now()
    await tandem.stop()
    const took = performance.now() - since
    t.diagnostic(`stopped within ${Math.round(took)} ms`)
    assert.ok(took < STOP_MS)
  }
  await using tandem = await startTandem({ home })
  const client = new OpenAI({ apiKey: tandem.key, baseURL: `${tandem.url}/v1` })
  const { fine_tuned_model } = await until(client, id, is('succeeded'))
  assert.ok((await client.models.list()).data.some((model) => model.id === fine_tuned_model))
  const messages = await messagesOf(client, id)
  assert.equal(messages.filter((message) => message.startsWith('New fine-tuned model created')).length, 1)
})

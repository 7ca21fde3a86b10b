/** Training through the whole of Tandem, by the unchanged `openai` client: chats are answered meanwhile. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { toFile } from 'openai'
import { MODEL } from '../support/model.ts'
import { openai } from '../support/shared.ts'

const client = openai()
const ROWS = 300
const MS_BETWEEN_LOOKS = 100

/** The second column follows the first. */
const table = `x,y\n${Array.from({ length: ROWS }, (_, i) => `${Math.sin(i)},${2 * Math.sin(i) + Math.cos(7 * i) / 20}\n`).join('')}`

test('a table becomes a model that tells what is unusual in it', async () => {
  const file = await client.files.create({ file: await toFile(Buffer.from(table), 'table.csv'), purpose: 'fine-tune' })
  const jobs = client.fineTuning.jobs
  const hyperparameters = { n_epochs: 20, latents: 2, columns: ['x', 'y'] }
  const asked = {
    model: 'autoencoder',
    training_file: file.id,
    suffix: 'contract',
    method: { type: 'autoencoder', autoencoder: { hyperparameters } },
  }
  // Of the client's types `method` knows OpenAI's alone.
  let job = await jobs.create(asked as unknown as Parameters<typeof jobs.create>[0])
  assert.equal(job.status, 'validating_files')
  const chat = await client.chat.completions.create({
    model: MODEL,
    messages: [{ role: 'user', content: 'Hello' }],
    max_tokens: 4,
  })
  assert.equal(chat.choices.length, 1)
  while (job.status !== 'succeeded') {
    assert.ok(job.status !== 'failed' && job.status !== 'cancelled', JSON.stringify(job.error))
    await delay(MS_BETWEEN_LOOKS)
    job = await jobs.retrieve(job.id)
  }
  const model = job.fine_tuned_model ?? ''
  assert.match(model, /^ft:autoencoder:contract:/)
  const events = await jobs.listEvents(job.id, { limit: 100 })
  assert.ok(events.data.some(({ type }) => type === 'metrics'))
  const { data } = await client.post<{ data: { is_anomaly: boolean; contributions: { name: string }[] }[] }>(
    '/anomalies',
    {
      body: {
        model,
        rows: [
          [0, 0],
          [0.5, 500],
        ],
      },
    },
  )
  assert.deepEqual(
    data.map(({ is_anomaly }) => is_anomaly),
    [false, true],
  )
  const ids = (await client.models.list()).data.map(({ id }) => id)
  assert.ok(ids.includes(model) && ids.includes(MODEL))
  assert.deepEqual(await client.models.delete(model), { id: model, object: 'model', deleted: true })
  await client.files.delete(file.id)
})

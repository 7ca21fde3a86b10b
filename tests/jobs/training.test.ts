/** Training by the API, from an upload to a model that answers: the unchanged `openai` client, workerd, real runners. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import sharp from 'sharp'
import { bodyOf, filesOf, is, LONG, messagesOf, pictures, TrainingSite, table, until, upload } from './training-site.ts'

const ROWS = { n_epochs: 3, batch_size: 16, latents: 2 }
const IMAGES = { n_epochs: 2, batch_size: 8, image_size: 8, channels: 3, latents: 4 }

describe('training', () => {
  let site: TrainingSite
  before(async () => {
    site = await TrainingSite.start()
    site.startRunner()
  })
  after(() => site.stop())

  test('makes a scorer of a table, which tells what is unusual', async () => {
    const client = await site.client('scorer')
    const file = await upload(client, 'table.csv', table(200))
    const { id } = await client.fineTuning.jobs.create(bodyOf('autoencoder', file, ROWS, { suffix: 'rows' }))
    const { fine_tuned_model: model, result_files } = await until(client, id, is('succeeded'))
    assert.match(model ?? '', /^ft:autoencoder:rows:/)
    const answer = await client.post<{ data: { score: number; is_anomaly: boolean }[] }>('/anomalies', {
      body: {
        model,
        rows: [
          [0, 0.1, 1],
          [900, -900, 900],
        ],
      },
    })
    assert.deepEqual([answer.data.length, answer.data[1]?.is_anomaly], [2, true])
    const described = await client.models.retrieve(model ?? '')
    assert.equal(described.owned_by, 'scorer')
    const metrics = await (await client.files.content(result_files.at(-1) ?? '')).text()
    assert.match(metrics, /^step,epoch,train_\w+.*valid_/)
    assert.match((await messagesOf(client, id)).at(-1) ?? '', /successfully completed/)
  })

  test('that has learnt nothing says so, on the job and on the model’s card', async () => {
    const client = await site.client('hasty')
    const file = await upload(client, 'table.csv', table(200))
    const hasty = { ...ROWS, n_epochs: 1, learning_rate_multiplier: 0.001 }
    const { id } = await client.fineTuning.jobs.create(bodyOf('autoencoder', file, hasty))
    const { fine_tuned_model: model } = await until(client, id, is('succeeded'))
    const { data } = await client.fineTuning.jobs.listEvents(id)
    const [warning] = data.filter(({ level }) => level === 'warn')
    assert.match(warning?.message ?? '', /The model has learnt next to nothing/)
    const { card } = (await client.models.retrieve(model ?? '')) as unknown as { card: { description: string } }
    assert.match(card.description, /learnt next to nothing/)
  })

  test('makes a VAE of a zip of pictures, and shows what it draws', async () => {
    const client = await site.client('painter')
    const file = await upload(client, 'pictures.zip', await pictures(64))
    const { id } = await client.fineTuning.jobs.create(bodyOf('vae', file, IMAGES))
    const { fine_tuned_model: model, result_files } = await until(client, id, is('succeeded'))
    const sheet = await (await client.files.content(result_files[0] ?? '')).arrayBuffer()
    const { format, width = 0 } = await sharp(Buffer.from(sheet)).metadata()
    assert.equal(format, 'png')
    assert.ok(width >= 256)
    const decoded = await client.post<{ data: { b64_json: string }[] }>('/latents/decode', {
      body: { model, latents: [[0, 0, 0, 0]] },
    })
    const picture = await sharp(Buffer.from(decoded.data[0]?.b64_json ?? '', 'base64')).metadata()
    assert.deepEqual([picture.width, picture.height], [8, 8])
  })

  test('that is paused goes on to the weights that it would have had', async () => {
    const client = await site.client('pausing')
    const file = await upload(client, 'pictures.zip', await pictures(80))
    const models: string[] = []
    for (const interrupted of [false, true]) {
      const { id } = await client.fineTuning.jobs.create(bodyOf('vae', file, LONG))
      if (interrupted) {
        await until(client, id, ({ estimated_finish }) => estimated_finish !== null)
        assert.equal((await client.fineTuning.jobs.pause(id)).status as string, 'paused')
        // Its runner keeps a checkpoint.
        while ((await client.fineTuning.jobs.checkpoints.list(id)).data.length === 0) await delay(50)
        assert.equal((await client.fineTuning.jobs.resume(id)).status, 'queued')
      }
      const { fine_tuned_model } = await until(client, id, is('succeeded'))
      const goneOn = (await messagesOf(client, id)).filter((message) => message.includes('goes on from step'))
      assert.equal(goneOn.length, interrupted ? 1 : 0)
      models.push(fine_tuned_model ?? '')
    }
    const [whole, resumed] = await Promise.all(models.map((model) => filesOf(site, model)))
    assert.equal(whole?.length, 2)
    assert.deepEqual(resumed, whole)
  })

  test('is cancelled while it runs, and leaves nothing', async () => {
    const client = await site.client('cancelling')
    const file = await upload(client, 'pictures.zip', await pictures(80))
    const { id } = await client.fineTuning.jobs.create(bodyOf('vae', file, LONG))
    await until(client, id, ({ estimated_finish }) => estimated_finish !== null)
    assert.equal((await client.fineTuning.jobs.cancel(id)).status, 'cancelled')
    // The runner is free for the next.
    const next = await client.fineTuning.jobs.create(bodyOf('vae', file, IMAGES))
    await until(client, next.id, is('succeeded'))
    assert.equal((await client.fineTuning.jobs.retrieve(id)).status, 'cancelled')
    assert.deepEqual(await site.edge.objects(`checkpoints/${id}`), [])
  })
})

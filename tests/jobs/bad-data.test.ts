/** Data that nothing can be trained on: each job fails with a sentence for its owner, and the next one is trained. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { zipOf } from '#gpu-runner/testing/zip.ts'
import type { Job } from '#protocol/training.ts'
import { chunk, pngOf } from '../inference/png.ts'
import { bodyOf, type Client, is, pictures, TrainingSite, table, until, upload } from './training-site.ts'

const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => `${line(i)}\n`).join('')

describe('bad data', () => {
  let site: TrainingSite
  let client: Client
  before(async () => {
    site = await TrainingSite.start()
    client = await site.client('careless')
    site.startRunner()
  })
  after(() => site.stop())

  const failureOf = async (
    model: 'vae' | 'autoencoder' | 'denoiser',
    name: string,
    contents: Buffer | string,
    hyperparameters: object = {},
  ) => {
    const file = await upload(client, name, contents)
    const { id } = await client.fineTuning.jobs.create(bodyOf(model, file, hyperparameters))
    let found: Job | undefined
    await until(client, id, (job) => {
      found = job
      return job.status === 'failed'
    })
    assert.ok(found?.error)
    assert.deepEqual(
      [found.error.code, found.error.param],
      ['invalid_training_file', 'training_file'],
      found.error.message,
    )
    return found.error.message
  }

  test('of tables', async () => {
    const cases: readonly (readonly [string, string, object, RegExp])[] = [
      ['one row', 'a,b\n1,2\n', {}, /row/],
      ['a header alone', 'a,b\n', {}, /row/],
      ['no header', lines(50, (i) => `${i},${i * i}`), { columns: ['a', 'b'] }, /'a'|header|column/],
      [
        'text in a number column',
        `a,b\n${lines(50, (i) => `${i},${i === 30 ? 'much' : i}`)}`,
        { columns: ['a', 'b'] },
        /Line 32.*much/,
      ],
      ['NaN', `a,b\n${lines(50, (i) => `${i},${i === 10 ? 'NaN' : i}`)}`, { columns: ['a', 'b'] }, /NaN/],
      ['a column that never varies', `a,b\n${lines(50, (i) => `${i},7`)}`, { columns: ['a', 'b'] }, /'b'/],
      [
        'a row of another length',
        `a,b\n${lines(50, (i) => (i === 20 ? '1' : `${i},${i}`))}`,
        { columns: ['a', 'b'] },
        /Line 22/,
      ],
    ]
    for (const [what, contents, hyperparameters, expected] of cases) {
      assert.match(await failureOf('autoencoder', 'table.csv', contents, hyperparameters), expected, what)
    }
  })

  test('of archives', async () => {
    const image = await pictures(1)
    const good = Buffer.from(pngOf([1, 2, 3, 4], 2), 'base64')
    const bomb = zipOf([{ name: 'a.png', contents: Buffer.alloc(64 << 20) }])
    assert.match(await failureOf('vae', 'x.zip', bomb), /a\.png/)
    const lying = zipOf([{ name: 'a.png', contents: Buffer.alloc(40 << 20), size: 100 }])
    assert.match(await failureOf('vae', 'x.zip', lying), /a\.png/)
    const slip = zipOf([{ name: '../../etc/passwd.png', contents: 'x' }])
    assert.match(await failureOf('vae', 'x.zip', slip), /passwd/)
    assert.match(await failureOf('vae', 'x.zip', zipOf([{ name: 'a.png', contents: 'no picture' }])), /a\.png/)
    const header = Buffer.alloc(13)
    header.writeUInt32BE(40_000, 0)
    header.writeUInt32BE(40_000, 4)
    header[8] = 8
    const parts = [chunk('IHDR', header), chunk('IDAT', Buffer.alloc(64)), chunk('IEND')]
    const huge = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts])
    const with_ = (contents: Buffer) =>
      zipOf([
        { name: 'a.png', contents: good },
        { name: 'b.png', contents },
      ])
    assert.match(await failureOf('vae', 'x.zip', with_(huge)), /'b\.png' has 40000 × 40000 pixels, the limit/)
    assert.match(
      await failureOf('vae', 'x.zip', with_(good.subarray(0, 40))),
      /'b\.png' cannot be read as an image: .*\w\.$/,
    )
    assert.match(await failureOf('vae', 'x.zip', zipOf([])), /image/)
    assert.match(await failureOf('vae', 'x.zip', image, { image_size: 8 }), /image|item|few/)
    assert.match(await failureOf('vae', 'x.zip', image.subarray(0, 60)), /zip|archive/i)
    assert.match(await failureOf('denoiser', 'table.csv', table(50)), /zip/)
  })

  test('is not what the next one is', async () => {
    const file = await upload(client, 'table.csv', table(100))
    const { id } = await client.fineTuning.jobs.create(bodyOf('autoencoder', file, { n_epochs: 1, latents: 2 }))
    await until(client, id, is('succeeded'))
  })

  test('that is deleted while its job waits', async () => {
    const file = await upload(client, 'table.csv', table(100))
    const { id } = await client.fineTuning.jobs.create(bodyOf('autoencoder', file, {}))
    await client.fineTuning.jobs.pause(id)
    await client.files.delete(file)
    await client.fineTuning.jobs.resume(id)
    const { error } = await until(client, id, is('failed'))
    assert.deepEqual([error?.code, error?.param], ['invalid_training_file', 'training_file'])
  })
})

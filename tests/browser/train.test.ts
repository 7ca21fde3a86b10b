import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { JobRunner } from '#edge/testing/job-runner.ts'
import { TRANSLATION_MODELS } from '#edge/testing/stub-runner.ts'
import { readImages } from '#gpu-runner/trainer/data/images.ts'
import type { LeasedJob } from '#protocol/training-lease.ts'
import { pngOf } from '../inference/png.ts'
import { barriers } from './accessibility.ts'
import { type PictureEdge, startPictureEdge } from './picture-edge.ts'

const LOOKS = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 } }],
] as const
const TABLE = { name: 'pump readings.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b,label\n1,2,0\n3,4,1\n') }

const progress = (step: number, loss: number) =>
  ({
    type: 'progress',
    step,
    total_steps: 100,
    epoch: 1,
    train: { loss },
    samples_per_second: 1234,
    seconds_left: 90,
  }) as const

const pictureFile = (name: string, grey: number) => ({
  name,
  mimeType: 'image/png',
  buffer: Buffer.from(pngOf(Array<number>(64).fill(grey), 8), 'base64'),
})

/** Begins one from the table; its page is open then. */
async function begin(page: Page): Promise<void> {
  await page.locator('input[type=file]').setInputFiles(TABLE)
  await page.getByRole('button', { name: 'Start training' }).click()
  await page.waitForURL(/\/train\/ftjob-/)
}

describe('trainings on the page', () => {
  let pictures: PictureEdge
  let runner: JobRunner
  before(async () => {
    pictures = await startPictureEdge()
    runner = new JobRunner(pictures.edge, 'one')
  })
  after(() => pictures[Symbol.asyncDispose]())

  /** The job whose page is open; others may have come back to the queue. */
  const leaseShown = async (page: Page): Promise<LeasedJob> => {
    const id = new URL(page.url()).pathname.split('/').at(-1)
    for (;;) {
      const leased = await runner.leaseNext()
      if (leased.id === id) return leased
    }
  }
  const putSheet = async (leased: LeasedJob, grey: number): Promise<string> => {
    const png = Buffer.from(pngOf(Array<number>(64).fill(grey), 8), 'base64')
    const { response } = await runner.put(leased, 'samples', png)
    return ((await response.json()) as { id: string }).id
  }

  test('from a file to a finished model: uploaded, asked for as it was set, followed, and led on from', async () => {
    await using opened = await pictures.open('/train')
    const { page, complaints, foreign } = opened
    await page.locator('input[type=file]').setInputFiles(TABLE)
    await page.getByText('Table of 3 columns').waitFor()
    assert.equal(await page.getByLabel('Name').inputValue(), 'pump-readings')
    assert.deepEqual(await page.getByRole('radio').count(), 1, 'of a table only one thing can be learned')
    await page.getByText('Details').click()
    await page.getByLabel('Times through the data').fill('7')
    await page.getByLabel('Column that marks anomalies').selectOption('label')
    await page.getByRole('button', { name: 'Start training' }).click()
    await page.waitForURL(/\/train\/ftjob-/)
    await page.getByRole('heading', { name: 'pump-readings' }).waitFor()

    const leased = await leaseShown(page)
    assert.equal(leased.model, 'autoencoder')
    assert.deepEqual(leased.method.type === 'autoencoder' && leased.method.autoencoder.hyperparameters, {
      n_epochs: 7,
      batch_size: 'auto',
      learning_rate_multiplier: 'auto',
      image_size: 'auto',
      channels: 'auto',
      latents: 'auto',
      objective: 'anomaly',
      noise: 'auto',
      alarms: 'auto',
      columns: 'auto',
      label: 'label',
    })
    assert.deepEqual([leased.training_file.filename, leased.training_file.bytes], [TABLE.name, TABLE.buffer.length])

    const valid = { type: 'validation', step: 20, valid: { loss: 0.3 } } as const
    await runner.report(leased, { events: [progress(10, 0.5), progress(20, 0.25), valid] })
    await page.getByText('Step 20 of 100').waitFor()
    await page.getByText('2 min left').waitFor()
    await page.getByText('1,234 samples/s').waitFor()
    await page.getByRole('img', { name: 'loss: training 0.25 · validation 0.3' }).locator('canvas').waitFor()
    const first = await putSheet(leased, 10)
    await runner.report(leased, { from: 3, events: [{ type: 'samples', step: 20, samples: first }] })
    const sheet = page.getByRole('img', { name: 'What the model makes after step 20' })
    await sheet.waitFor()
    assert.equal(await sheet.evaluate((image: HTMLImageElement) => image.decode().then(() => image.naturalWidth)), 8)

    assert.equal((await runner.succeed(leased, 'onnx')).status, 200)
    await page.getByRole('status').getByText('Finished').waitFor()
    const model = await page.locator('.finished strong').textContent()
    assert.match(model ?? '', /^ft:autoencoder:pump-readings:\w+$/)
    await page.getByText('Settings').last().click()
    await page.getByRole('link', { name: 'Download the metrics' }).waitFor()
    await page.getByRole('link', { name: 'Find anomalies' }).click()
    assert.equal(new URL(page.url()).searchParams.get('model'), model)
    assert.deepEqual(complaints, [])
    assert.deepEqual(foreign, [])
  })

  test('a translation memory: between which languages, and what is tuned', async () => {
    pictures.edge.runner.models = TRANSLATION_MODELS
    await using opened = await pictures.open('/train')
    const { page, complaints } = opened
    const buffer = Buffer.from('fr-FR\ten\nOuvrir\tOpen\nFichier\tFile\n')
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'memory.tsv', mimeType: 'text/tab-separated-values', buffer })
    await page.getByText('Translation memory').waitFor()
    assert.equal(await page.getByRole('combobox', { name: 'From' }).inputValue(), 'fr')
    await page.getByRole('combobox', { name: 'From' }).selectOption('en')
    assert.equal(await page.getByRole('combobox', { name: 'Into' }).inputValue(), 'fr')
    await page.getByRole('combobox', { name: 'Begin with' }).selectOption('en-fr')
    await page.getByText('Details').click()
    await page.getByLabel('Times through the data').fill('3')
    await page.getByRole('button', { name: 'Start training' }).click()
    await page.waitForURL(/\/train\/ftjob-/)
    await page.getByText('Translator').waitFor()
    const leased = await leaseShown(page)
    assert.deepEqual([leased.model, leased.base?.id], ['en-fr', 'en-fr'])
    const { translation } = leased.method.type === 'translation' ? leased.method : {}
    assert.deepEqual(
      [translation?.source_language, translation?.target_language, translation?.hyperparameters.n_epochs],
      ['en', 'fr', 3],
    )
    const valid = { type: 'validation', step: 0, valid: { loss: 0.3, bleu: 12, chrf: 40 } } as const
    await runner.report(leased, { events: [progress(10, 0.5), valid] })
    await page
      .getByRole('img', { name: /^bleu: / })
      .locator('canvas')
      .waitFor()
    assert.equal(await page.getByText('What the model makes appears here').count(), 0)
    await runner.succeedTranslating(leased, 'tuned')
    await page.getByRole('status').getByText('Finished').waitFor()
    await page.getByRole('link', { name: 'Its card' }).click()
    const card = page.locator('.card').filter({ hasText: leased.model_id })
    await card.getByText('English into French').waitFor()
    await card.getByRole('button', { name: 'Delete' }).click()
    await card.getByRole('button', { name: 'Really delete' }).click()
    await card.waitFor({ state: 'detached' })
    assert.deepEqual(complaints, [])
  })

  test('pause, resume and cancel do what they say, and the list beside knows', async () => {
    await using opened = await pictures.open('/train')
    const { page } = opened
    await begin(page)
    const leased = await leaseShown(page)
    await runner.report(leased, { events: [progress(10, 0.5)] })
    await page.getByText('Step 10 of 100').waitFor()
    const state = page.locator('.job-head [role=status]')
    await page.getByRole('button', { name: 'Pause' }).click()
    while ((await runner.report(leased, { from: 1 })) !== 'stop');
    assert.equal((await runner.end(leased, { from: 1, outcome: { type: 'stopped' } })).status, 200)
    await state.getByText('Paused').waitFor()
    await page.locator('.job-rows .current').getByText('Paused').waitFor()
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByRole('button', { name: 'Pause' }).waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await state.getByText('Cancelled').waitFor()
    assert.equal(await page.locator('.job-head button').count(), 0)
  })

  test('a job that fails says why; one that is not there says so', async () => {
    await using opened = await pictures.open('/train')
    const { page } = opened
    await begin(page)
    const leased = await leaseShown(page)
    const error = { code: 'diverged', message: 'The loss became infinite at step 12.', param: null }
    await runner.end(leased, { outcome: { type: 'failed', error, again: false } })
    await page.getByRole('alert').getByText('The loss became infinite at step 12.').waitFor()
    await page.goto(`${pictures.edge.url}/train/ftjob-nothing`)
    await page.getByText('There is no such training.').waitFor()
  })

  test('what cannot be trained on is told before it is sent', async () => {
    await using opened = await pictures.open('/train')
    const { page } = opened
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.method()))
    const input = page.locator('input[type=file]')
    await input.setInputFiles({ name: 'empty.csv', mimeType: 'text/csv', buffer: Buffer.alloc(0) })
    await page.getByRole('alert').getByText('“empty.csv” is empty.').waitFor()
    await input.setInputFiles(pictureFile('cat.png', 1))
    await page.getByRole('alert').getByText('“cat.png” is one picture.').waitFor()
    await input.setInputFiles([pictureFile('cat.png', 1), TABLE])
    await page.getByRole('alert').getByText('“pump readings.csv” is none.').waitFor()
    await input.setInputFiles({ name: 'a.bin', mimeType: '', buffer: Buffer.alloc(10) })
    await page.getByRole('alert').getByText('“a.bin” is neither a zip nor a table as text.').waitFor()
    assert.ok(!asked.includes('POST'), asked.join())
  })

  test('loose pictures become an archive that the trainer reads', async () => {
    await using opened = await pictures.open('/train')
    const { page, complaints } = opened
    const files = ['dog.png', 'cat.png', 'cat.png'].map((name, i) => pictureFile(name, 50 * (i + 1)))
    await page.locator('input[type=file]').setInputFiles(files)
    await page.getByText('3 pictures').waitFor()
    await page.getByRole('button', { name: 'Start training' }).click()
    await page.waitForURL(/\/train\/ftjob-/)
    const leased = await leaseShown(page)
    assert.equal(leased.training_file.filename, 'pictures.zip')
    const content = await pictures.edge.ask(`/v1/files/${leased.training_file.id}/content`)
    const folder = await mkdtemp(path.join(tmpdir(), 'tandem-pictures-'))
    const archive = path.join(folder, 'pictures.zip')
    await writeFile(archive, Buffer.from(await content.arrayBuffer()))
    const { data } = await readImages(archive, { channels: 1, height: 8, width: 8 })
    await rm(folder, { recursive: true })
    // By name: “cat (2).png”, “cat.png”, “dog.png”.
    assert.deepEqual(
      [...data.pixels],
      [150, 100, 50].flatMap((grey) => Array<number>(64).fill(grey)),
    )
    assert.deepEqual(complaints, [])
  })

  test('what is stored is listed and deleted, with a second press', async () => {
    await using opened = await pictures.open('/train')
    const { page } = opened
    await page.locator('input[type=file]').setInputFiles({ ...TABLE, name: 'to be deleted.csv' })
    await page.getByRole('button', { name: 'Start training' }).click()
    await page.waitForURL(/\/train\/ftjob-/)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.goto(`${pictures.edge.url}/train`)
    await page.getByText('Stored files').click()
    await page.getByRole('link', { name: 'to be deleted.csv' }).waitFor()
    assert.deepEqual(await barriers(page), [])
    await page.getByRole('button', { name: 'Delete: to be deleted.csv', exact: true }).click()
    const gone = page.waitForResponse((response) => response.request().method() === 'DELETE')
    await page.getByRole('button', { name: 'Really delete: to be deleted.csv' }).click()
    assert.equal((await gone).status(), 200)
    await page.getByRole('link', { name: 'to be deleted.csv' }).waitFor({ state: 'detached' })
    const { data } = (await (await pictures.edge.ask('/v1/files')).json()) as { data: { filename: string }[] }
    assert.ok(data.every(({ filename }) => filename !== 'to be deleted.csv'))
  })

  test('a large upload is stopped, keeps what was chosen, and goes on where it was', async () => {
    await using opened = await pictures.open('/train')
    const { page } = opened
    const row = '0.123456789,0.123456789\n'
    const rows = Math.ceil((20 << 20) / row.length)
    const buffer = Buffer.from(`a,b\n${row.repeat(rows)}`)
    await page.locator('input[type=file]').setInputFiles({ name: 'large.csv', mimeType: 'text/csv', buffer })
    // The second of three parts is held back until it has been stopped.
    const held = Promise.withResolvers<void>()
    const second = Promise.withResolvers<void>()
    const parts: string[] = []
    await page.route('**/v1/uploads/*/parts', async (route) => {
      parts.push(route.request().url())
      if (parts.length === 2) {
        second.resolve()
        await held.promise
      }
      await route.continue().catch(() => undefined)
    })
    await page.getByRole('button', { name: 'Start training' }).click()
    await page.getByText('8.0 MB of 20 MB uploaded').waitFor()
    await second.promise
    await page.keyboard.press('Escape')
    await page.getByText('Stopped. Starting again goes on from there.').waitFor()
    held.resolve()
    await page.getByRole('button', { name: 'Start training' }).click()
    await page.waitForURL(/\/train\/ftjob-/)
    assert.equal(parts.length, 4, 'three, and the one that was stopped')
    assert.equal(new Set(parts).size, 1, 'all of one upload')
    assert.equal((await leaseShown(page)).training_file.bytes, buffer.length)
  })

  for (const [look, options] of LOOKS) {
    test(`nobody is shut out, nothing overflows: ${look}`, async () => {
      await using opened = await pictures.open('/train', options)
      const { page } = opened
      await page.locator('input[type=file]').setInputFiles(TABLE)
      await page.getByText('Details').click()
      assert.deepEqual(await barriers(page), [])
      await page.getByRole('button', { name: 'Start training' }).click()
      await page.waitForURL(/\/train\/ftjob-/)
      const leased = await leaseShown(page)
      await runner.report(leased, { events: [progress(10, 0.5), progress(20, 0.25)] })
      await page.getByRole('img', { name: 'loss: training 0.25' }).waitFor()
      assert.deepEqual(await barriers(page), [])
    })
  }
})

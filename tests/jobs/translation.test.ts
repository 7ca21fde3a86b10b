/**
 * Models that translate, from an upload to a translation: the unchanged `openai` client, workerd, real runners, of which the
 * one that translates has nothing but what it fetches from the edge.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { RUNNER_SECRET } from '#edge/testing/stub-runner.ts'
import { createRunnerServer, sendJson } from '#gpu-runner/routes/server.ts'
import { translations } from '#gpu-runner/routes/translations.ts'
import { Random } from '#gpu-runner/trainer/random.ts'
import { TranslationModels } from '#gpu-runner/translation-models.ts'
import { type Client, filesOf, is, type JobBody, messagesOf, TrainingSite, until, upload } from './training-site.ts'

const WORDS = ['open', 'file', 'the', 'cell', 'row', 'sheet', 'save', 'close']
const THEIRS = ['öffne', 'datei', 'die', 'zelle', 'zeile', 'tabelle', 'speichere', 'schließe']
/** Two of them are the other way round. */
const OURS = ['öffne', 'tabelle', 'die', 'zelle', 'zeile', 'datei', 'speichere', 'schließe']

/** Pairs of sentences of a made-up language, word by word, as the lines of a table. */
function memory(count: number, words: readonly string[], seed = 1): string {
  const random = new Random(seed)
  const lines = Array.from({ length: count }, () => {
    const picked = Array.from({ length: 1 + Math.floor(6 * random.uniform()) }, () => Math.floor(8 * random.uniform()))
    return `${picked.map((i) => WORDS[i]).join(' ')}\t${picked.map((i) => words[i]).join(' ')}`
  })
  return ['en\tde', ...lines].join('\n')
}

const tmx = (table: string): string =>
  `<?xml version="1.0"?><tmx version="1.4"><body>${table
    .split('\n')
    .slice(1)
    .map((line) => {
      const [en, de] = line.split('\t')
      return `<tu><tuv xml:lang="en-US"><seg>${en}</seg></tuv><tuv xml:lang="de"><seg>${de}</seg></tuv></tu>`
    })
    .join('\n')}</body></tmx>`

const SMALL = { vocabulary_size: 512, width: 32, layers: 1 }
const NEW = { ...SMALL, n_epochs: 16, batch_size: 2, learning_rate_multiplier: 10, dropout: 0 }
const TUNED = { n_epochs: 120, batch_size: 1, learning_rate_multiplier: 1, dropout: 0.1, rehearsal: 0 }

const bodyOf = (model: string, training_file: string, translation: object, more: object = {}): JobBody =>
  ({ model, training_file, method: { type: 'translation', translation }, seed: 7, ...more }) as unknown as JobBody

describe('translation', () => {
  let site: TrainingSite
  let models: TranslationModels
  let folder: string
  const server = createRunnerServer(RUNNER_SECRET, {
    'GET /health': ({ response }) => sendJson(response, 200, { status: 'ok' }),
    'GET /models': ({ response }) => sendJson(response, 200, { models: models.describe() }),
    'POST /translate': (exchange) => translations(models)(exchange),
  })
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    folder = await mkdtemp(path.join(tmpdir(), 'tandem-translating-'))
    site = await TrainingSite.start({ runnerUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    models = await TranslationModels.open({
      threads: 1,
      files: { root: folder, edge: site.edge.url, secret: RUNNER_SECRET },
    })
    site.startRunner()
  })
  after(async () => {
    await site.stop()
    server.close()
    server.closeAllConnections()
    await models[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const translate = async (client: Client, text: string[], more: object = {}) => {
    const headers = { authorization: `DeepL-Auth-Key ${client.apiKey}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ text, source_lang: 'EN', target_lang: 'DE', ...more })
    const response = await fetch(`${site.edge.url}/v2/translate`, { method: 'POST', headers, body })
    assert.equal(response.status, 200, await response.clone().text())
    return ((await response.json()) as { translations: { text: string }[] }).translations.map((one) => one.text)
  }
  const cardOf = async (client: Client, model: string) =>
    ((await client.models.retrieve(model)) as unknown as { card: { metrics: Record<string, number> } }).card

  test('makes a model of a new pair, tunes it on a memory, and is gone on with after a kill', async () => {
    const client = await site.client('translator')
    const file = await upload(client, 'all.tsv', memory(1500, THEIRS))
    const languages = { source_language: 'en', target_language: 'de' }
    const begun = await client.fineTuning.jobs.create(
      bodyOf('translation', file, { ...languages, hyperparameters: NEW }),
    )
    const { fine_tuned_model: made } = await until(client, begun.id, is('succeeded'))
    assert.match(made ?? '', /^ft:translation::/)
    assert.deepEqual(await translate(client, ['open the file', 'close the sheet']), [
      'öffne die datei',
      'schließe die tabelle',
    ])
    assert.equal((await readdir(path.join(folder, 'published'))).length, 3)

    const ours = await upload(client, 'ours.tmx', tmx(memory(400, OURS, 2)))
    const judged = await upload(client, 'judged.tsv', memory(40, OURS, 3))
    const { id } = await client.fineTuning.jobs.create(
      bodyOf(made ?? '', ours, { hyperparameters: TUNED }, { validation_file: judged, suffix: 'ours' }),
    )
    await until(client, id, ({ estimated_finish }) => estimated_finish !== null)
    await client.fineTuning.jobs.pause(id)
    while ((await client.fineTuning.jobs.checkpoints.list(id)).data.length === 0) await delay(50)
    const runner = site.startRunner()
    await site.endAllBut(runner, 'SIGKILL')
    await client.fineTuning.jobs.resume(id)
    const { fine_tuned_model } = await until(client, id, is('succeeded'))
    const model = fine_tuned_model ?? ''
    const goneOn = (await messagesOf(client, id)).filter((message) => message.includes('goes on from step'))
    assert.equal(goneOn.length, 1)
    assert.match(model, /^ft:translation:ours:/)
    assert.deepEqual(await translate(client, ['open the file', 'close the sheet'], { model }), [
      'öffne die tabelle',
      'schließe die datei',
    ])
    assert.deepEqual(await translate(client, ['open the file'], { model: made }), ['öffne die datei'])
    const { metrics } = await cardOf(client, model)
    for (const measure of ['bleu', 'chrf']) {
      const [now, before] = [metrics[`validation.${measure}`] ?? 0, metrics[`validation.${measure}_before`] ?? 100]
      assert.ok(now > before, `${measure} was ${before}, and is ${now}`)
    }
    // Its vocabulary is the other's, and is there once.
    const [[first], [second]] = await Promise.all([filesOf(site, made ?? ''), filesOf(site, model)])
    assert.equal(second, first)
  })

  test('is refused a memory that it cannot learn from, in a sentence', async () => {
    const client = await site.client('wrong')
    for (const [contents, message] of [
      ['<tmx><body><tu><tuv xml:lang="en"><seg>A & b</seg></tuv></tu></body></tmx>', /^Line 1 is not well-formed XML/],
      ['en\tfr\nOpen\tOuvrir\nFile\tFichier', /has 2 pairs of en and fr; at least 10 are needed/],
    ] as const) {
      const file = await upload(client, 'memory.tmx', contents)
      const { id } = await client.fineTuning.jobs.create(bodyOf('en-fr', file, {}))
      let job = await client.fineTuning.jobs.retrieve(id)
      while (!['failed', 'succeeded'].includes(job.status)) {
        await delay(50)
        job = await client.fineTuning.jobs.retrieve(id)
      }
      assert.deepEqual(
        [job.status, job.error?.code, job.error?.param],
        ['failed', 'invalid_training_file', 'training_file'],
      )
      assert.match(job.error?.message ?? '', message)
    }
  })
})

/** Models that translate, from a job to requests that they answer: of their owner alone. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import OpenAI, { toFile } from 'openai'
import { BUNDLED_TRANSLATIONS } from '#models/bundled/bundled.ts'
import { bundledTranslations } from '#models/bundled/translations.ts'
import type { DeeplAnswer } from '#protocol/deepl.ts'
import type { PublishedTranslation } from '#protocol/published-model.ts'
import type { Job } from '#protocol/training.ts'
import type { TranslateRequest } from '#protocol/translation.ts'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'
import { JobRunner } from '../testing/job-runner.ts'
import { TRANSLATION_MODELS, translatesWords } from '../testing/stub-runner.ts'

type Body = Parameters<OpenAI['fineTuning']['jobs']['create']>[0]

const EN_FR = { source_language: 'en', target_language: 'fr' }
const PAIRS = '{"translation": {"en": "Open the file.", "fr": "Ouvrez le fichier."}}\n'

test('the Worker knows the models that ship', async () => {
  const shipped = (await bundledTranslations()).map(({ manifest }) => manifest as PublishedTranslation)
  assert.deepEqual(Object.fromEntries(shipped.map((manifest) => [manifest.id, manifest])), BUNDLED_TRANSLATIONS)
})

describe('models that translate', () => {
  let edge: Edge
  let runner: JobRunner
  let asked: TranslateRequest[] = []
  before(async () => {
    edge = await startEdge()
    edge.runner.models = TRANSLATION_MODELS
    runner = new JobRunner(edge, 'one')
  })
  after(() => edge.stop())
  beforeEach(() => {
    asked = []
    edge.runner.translation = (request) => {
      asked.push(request)
      return translatesWords(request)
    }
  })

  const somebody = async (owner: string, contents: string | Buffer = PAIRS) => {
    const { key } = await edge.newKey({ owner })
    const client = new OpenAI({ apiKey: key, baseURL: `${edge.url}/v1`, maxRetries: 0 })
    const upload = await toFile(Buffer.from(contents), 'memory.jsonl')
    const file = (await client.files.create({ file: upload, purpose: 'fine-tune' })).id
    const jobs = client.fineTuning.jobs
    const create = (model: string, translation: object = {}, more: object = {}) =>
      jobs.create({
        model,
        training_file: file,
        method: { type: 'translation', translation },
        ...more,
      } as unknown as Body) as unknown as Promise<Job>
    const ask = (path: string, body?: object, form?: FormData) =>
      edge.ask(path, { key, ...(body && { body }), ...(form && { form }) })
    return { key, client, jobs, file, create, ask }
  }
  type Somebody = Awaited<ReturnType<typeof somebody>>

  /** @returns the id of a model that a job has made */
  async function trained({ jobs, create }: Somebody, model: string, contents: string, languages = {}): Promise<string> {
    const { id } = await create(model, languages, { suffix: 'mine' })
    const leased = await runner.leaseNext()
    assert.equal(leased.id, id)
    await runner.succeedTranslating(leased, contents)
    const { fine_tuned_model, status } = await jobs.retrieve(id)
    assert.equal(status, 'succeeded')
    return fine_tuned_model ?? ''
  }

  const translated = async ({ ask }: Somebody, more: object = {}) => {
    const response = await ask('/v2/translate', { text: ['Open the file.'], target_lang: 'FR', ...more })
    assert.equal(response.status, 200, await response.clone().text())
    return ((await response.json()) as DeeplAnswer).translations.map(({ text }) => text)
  }
  const usedModels = () => asked.map(({ model, published }) => [model, published?.decoder.bytes])

  test('a job says what is tuned, and between which languages', async () => {
    const { create, jobs } = await somebody('asking')
    const job = await create('en-fr', {}, { suffix: 'tm' })
    assert.deepEqual(
      [job.model, job.method],
      [
        'en-fr',
        {
          type: 'translation',
          translation: {
            source_language: 'en',
            target_language: 'fr',
            hyperparameters: Object.fromEntries(
              [
                'n_epochs',
                'batch_size',
                'learning_rate_multiplier',
                'dropout',
                'rehearsal',
                'vocabulary_size',
                'width',
                'layers',
              ].map((name) => [name, 'auto']),
            ),
          },
        },
      ],
    )
    const leased = await runner.leaseNext()
    assert.deepEqual(leased.base, BUNDLED_TRANSLATIONS['en-fr'])
    assert.match(leased.model_id, /^ft:en-fr:tm:/)
    await jobs.cancel(job.id)
    const refused = async (model: string, translation: object) => {
      const error = await create(model, translation).then(
        () => assert.fail('it was taken'),
        (thrown: unknown) => thrown,
      )
      assert.ok(error instanceof OpenAI.APIError)
      return [error.status, error.code, error.param]
    }
    const at = (name: string) => `method.translation.${name}`
    const [en, fr, de] = ['en', 'fr', 'de']
    for (const [model, translation, expected] of [
      ['translation', {}, [400, 'missing_required_parameter', at('source_language')]],
      ['translation', { source_language: en }, [400, 'missing_required_parameter', at('target_language')]],
      ['translation', { source_language: en, target_language: en }, [400, 'invalid_value', at('target_language')]],
      [
        'translation',
        { source_language: 'English', target_language: fr },
        [400, 'invalid_value', at('source_language')],
      ],
      ['en-fr', { target_language: de }, [400, 'invalid_value', at('target_language')]],
      ['en-fr', { hyperparameters: { width: 64 } }, [400, 'unsupported_parameter', at('hyperparameters.width')]],
      ['en-fr', { hyperparameters: { dropout: 2 } }, [400, 'invalid_value', at('hyperparameters.dropout')]],
      [
        'translation',
        { ...EN_FR, hyperparameters: { rehearsal: 1 } },
        [400, 'unsupported_parameter', at('hyperparameters.rehearsal')],
      ],
      ['en-xx', {}, [404, 'model_not_found', 'model']],
      ['vae', {}, [404, 'model_not_found', 'model']],
    ] as const) {
      assert.deepEqual(await refused(model, translation), expected, JSON.stringify([model, translation]))
    }
  })

  test('a file that is none of pairs ends its job', async () => {
    for (const [contents, message] of [
      ['PK\x03\x04 and so on', /learned from TMX, JSONL or a table with tabs/],
      ['a\0b', /is not a zip archive or a text/],
    ] as const) {
      const { create, jobs } = await somebody('wrong', contents)
      const { id } = await create('en-fr')
      let job = await jobs.retrieve(id)
      while (job.status === 'validating_files') job = await jobs.retrieve(id)
      assert.deepEqual([job.status, job.error?.code], ['failed', 'invalid_training_file'])
      assert.match(job.error?.message ?? '', message)
    }
    const wide = Buffer.from('\ufeff<tmx/>', 'utf16le')
    const { create, jobs } = await somebody('wide', wide)
    const { id } = await create('en-fr')
    assert.equal((await runner.leaseNext()).id, id)
    await jobs.cancel(id)
  })

  test('the owner’s newest comes before the one that ships, and nobody else’s does', async () => {
    const [alice, bob] = [await somebody('alice'), await somebody('bob')]
    assert.deepEqual(await translated(alice), ['Ouvrez le fichier.'])
    const first = await trained(alice, 'en-fr', 'first')
    const second = await trained(alice, first, 'second one')
    assert.match(second, /^ft:en-fr:mine:\w+$/)
    asked = []
    await translated(alice)
    await translated(alice, { source_lang: 'EN', model: first })
    await translated(alice, { model: 'en-fr' })
    await translated(bob)
    assert.deepEqual(usedModels(), [
      [second, 'd second one'.length],
      [first, 'd first'.length],
      ['en-fr', undefined],
      ['en-fr', undefined],
    ])

    const listed = await alice.client.models.retrieve(second)
    assert.deepEqual(
      { ...listed, card: undefined, system_fingerprint: undefined },
      {
        ...{ id: second, object: 'model', created: 1, owned_by: 'alice', task: 'translation', device: 'runner' },
        ...{ context_length: 128, source_language: 'en', target_language: 'fr', card: undefined },
        system_fingerprint: undefined,
      },
    )
    assert.ok(!(await bob.client.models.list()).data.some(({ id }) => id.startsWith('ft:')))
    // Nothing else is asked of it.
    const latents = await alice.ask('/v1/latents', { model: second, images: ['x'] })
    assert.deepEqual([latents.status, (await errorOf(latents)).param], [400, 'model'])
    await assert.rejects(bob.client.models.retrieve(second), OpenAI.NotFoundError)

    // Of another’s it is told as of one that there is not, in each API's own shape.
    for (const model of [second, 'ft:en-fr:mine:none', 'nothing']) {
      const deepl = await bob.ask('/v2/translate', { text: ['Open'], target_lang: 'FR', model })
      assert.deepEqual(
        [deepl.status, await deepl.json()],
        [404, { message: `There is no model '${model}' that translates.` }],
      )
      const libre = await bob.ask('/translate', { q: 'Open', source: 'en', target: 'fr', model })
      assert.deepEqual(
        [libre.status, await libre.json()],
        [404, { error: `There is no model '${model}' that translates.` }],
      )
    }
    // A model is for its languages alone.
    const wrong = await alice.ask('/v2/translate', { text: ['Ouvrez'], target_lang: 'EN', model: second })
    assert.equal(wrong.status, 400)

    await alice.client.models.delete(second)
    asked = []
    await translated(alice)
    assert.equal((await alice.ask('/v2/translate', { text: ['Open'], target_lang: 'FR', model: second })).status, 404)
    // Who tuned it goes on.
    assert.deepEqual(usedModels(), [[first, 'd first'.length]])
  })

  test('LibreTranslate’s route and documents use it, too', async () => {
    const carol = await somebody('carol')
    const id = await trained(carol, 'fr-en', 'back')
    const libre = await carol.ask('/translate', { q: 'Ouvrez le fichier.', source: 'auto', target: 'en' })
    assert.equal(libre.status, 200, await libre.text())
    await carol.ask('/translate', { q: 'Le fichier', source: 'fr', target: 'en', model: 'fr-en' })
    assert.deepEqual(usedModels(), [
      [id, 'd back'.length],
      ['fr-en', undefined],
    ])
    for (const [path, more, model] of [
      ['/v2/document', {}, id],
      ['/v2/document', { model: 'fr-en' }, 'fr-en'],
      ['/translate_file', {}, id],
      ['/translate_file', { model: 'fr-en' }, 'fr-en'],
    ] as const) {
      asked = []
      const form = new FormData()
      form.set('file', new Blob(['Le fichier est nouveau.']), 'a.txt')
      const languages =
        path === '/translate_file' ? { source: 'fr', target: 'en' } : { source_lang: 'FR', target_lang: 'EN-GB' }
      for (const [name, value] of Object.entries({ ...languages, ...more })) form.set(name, value)
      const response = await carol.ask(path, undefined, form)
      assert.equal(response.status, 200, await response.clone().text())
      if (path === '/v2/document') {
        const { document_id, document_key } = (await response.json()) as { document_id: string; document_key: string }
        for (let status = ''; status !== 'done'; ) {
          const answer = await carol.ask(`/v2/document/${document_id}`, { document_key })
          status = ((await answer.json()) as { status: string }).status
          assert.notEqual(status, 'error')
        }
      }
      assert.deepEqual([...new Set(asked.map((request) => request.model))], [model], `${path} ${JSON.stringify(more)}`)
    }
    const form = new FormData()
    form.set('file', new Blob(['Le fichier']), 'a.txt')
    for (const [name, value] of Object.entries({ target_lang: 'EN-GB', model: 'nothing' })) form.set(name, value)
    const missing = await carol.ask('/v2/document', undefined, form)
    assert.deepEqual([missing.status, Object.keys((await missing.json()) as object)], [404, ['message']])
  })

  test('languages that only an owner has a model for are the owner’s', async () => {
    const [dave, erin] = [await somebody('dave'), await somebody('erin')]
    const id = await trained(dave, 'translation', 'german', { source_language: 'en', target_language: 'de' })
    assert.match(id, /^ft:translation:mine:/)
    const deepl = async ({ ask }: Somebody) =>
      ((await (await ask('/v2/languages?type=target')).json()) as { language: string }[]).map(
        ({ language }) => language,
      )
    const libre = async (key: string | null) =>
      ((await (await edge.ask('/languages', { key })).json()) as { code: string; targets: string[] }[]).find(
        ({ code }) => code === 'en',
      )?.targets
    assert.ok((await deepl(dave)).includes('DE'))
    assert.ok(!(await deepl(erin)).includes('DE'))
    assert.deepEqual(await libre(dave.key), ['de', 'fr'])
    assert.deepEqual([await libre(erin.key), await libre(null)], [['fr'], ['fr']])
    await translated(dave, { target_lang: 'DE' })
    assert.equal(asked.at(-1)?.model, id)
    const refused = await erin.ask('/v2/translate', { text: ['Open'], target_lang: 'DE' })
    assert.equal(refused.status, 400)
  })
})

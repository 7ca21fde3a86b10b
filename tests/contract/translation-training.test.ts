/** A memory becomes a model that translates, through the whole of Tandem: by the unchanged `openai` client, then DeepL's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { DeepLClient } from 'deepl-node'
import { toFile } from 'openai'
import { key, openai, url } from '../support/shared.ts'

const client = openai()
const deepl = new DeepLClient(key, { serverUrl: url, maxRetries: 0, minTimeout: 60_000 })
const MS_BETWEEN_LOOKS = 100

const NAMES = ['file', 'window', 'menu', 'button', 'table', 'cell', 'column', 'page', 'image', 'style', 'font', 'list']
const memory = `<?xml version="1.0" encoding="UTF-8"?>
<tmx version="1.4"><header srclang="en" segtype="sentence"/><body>
${NAMES.map(
  (
    name,
    i,
  ) => `<tu tuid="${i}"><tuv xml:lang="en-US"><seg>Open the <bpt i="1">&lt;b></bpt>${name}<ept i="1"/>.</seg></tuv>
<tuv xml:lang="fr"><seg>Veuillez ouvrir « ${name} ».</seg></tuv></tu>`,
).join('\n')}
</body></tmx>`

async function post(path: string, body: object): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
}

test('a bundled model is tuned on a memory, and translates from then on', async () => {
  const upload = await toFile(Buffer.from(memory), 'memory.tmx')
  const file = await client.files.create({ file: upload, purpose: 'fine-tune' })
  const { jobs } = client.fineTuning
  const hyperparameters = { n_epochs: 2, rehearsal: 0 }
  const asked = {
    model: 'en-fr',
    training_file: file.id,
    suffix: 'contract',
    seed: 1,
    method: { type: 'translation', translation: { hyperparameters } },
  }
  // Of the client's types `method` knows OpenAI's alone.
  let job = await jobs.create(asked as unknown as Parameters<typeof jobs.create>[0])
  while (job.status !== 'succeeded') {
    assert.ok(job.status !== 'failed' && job.status !== 'cancelled', JSON.stringify(job.error))
    await delay(MS_BETWEEN_LOOKS)
    job = await jobs.retrieve(job.id)
  }
  const model = job.fine_tuned_model ?? ''
  assert.match(model, /^ft:en-fr:contract:/)
  try {
    const described = (await client.models.retrieve(model)) as unknown as { card: { metrics: Record<string, number> } }
    assert.deepEqual(
      Object.keys(described.card.metrics).toSorted(),
      ['bleu', 'bleu_before', 'chrf', 'chrf_before'].map((name) => `validation.${name}`),
    )
    // How it was before its first step is told, too.
    const events = await jobs.listEvents(job.id, { limit: 100 })
    assert.ok(events.data.some(({ data }) => JSON.stringify(data ?? null).includes('"step":0,"valid"')))

    const { text } = await deepl.translateText('Open the file.', 'en', 'fr')
    assert.notEqual(text, '')
    const usage = (await client.get(`/usage?group_by=model&start_time=${job.created_at}`)) as { data?: unknown[] }
    assert.ok(JSON.stringify(usage).includes(model), 'it is the tuned one that has translated')

    const explicit = await post('/v2/translate', { text: ['Open the file.'], target_lang: 'FR', model: 'en-fr' })
    assert.match(await explicit.text(), /fichier/)
  } finally {
    // Other tests ask the one that ships.
    await client.models.delete(model)
  }
  const gone = await post('/v2/translate', { text: ['Open the file.'], target_lang: 'FR', model })
  assert.equal(gone.status, 404)
  assert.match((await deepl.translateText('Open the file.', 'en', 'fr')).text, /fichier/)
  await client.files.delete(file.id)
})

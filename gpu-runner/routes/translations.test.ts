import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import * as v from 'valibot'
import { translateReplySchema } from '#protocol/translation.ts'
import { writeTinyTranslation } from '../testing/tiny-translation.ts'
import { TranslationModels } from '../translation-models.ts'
import { createRunnerServer } from './server.ts'
import { translations } from './translations.ts'

const folder = await mkdtemp(path.join(tmpdir(), 'tandem-translations-'))
await mkdir(path.join(folder, 'translation', 'tiny'), { recursive: true })
await writeTinyTranslation(path.join(folder, 'translation', 'tiny'))
const models = await TranslationModels.open({
  threads: 1,
  files: { root: folder, edge: undefined, secret: 'a secret' },
})
const server = createRunnerServer('a secret', { 'POST /translate': translations(models) }).listen(0, '127.0.0.1')
await once(server, 'listening')
after(async () => {
  server.close()
  await models[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const post = (body: unknown, signal?: AbortSignal) =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/translate`, {
    method: 'POST',
    headers: { authorization: 'Bearer a secret', connection: 'close' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  })

test('a model tells its pair of languages, and translates', async () => {
  const [known] = models.describe()
  assert.deepEqual(
    [known?.id, known?.task, known?.source_language, known?.target_language],
    ['tiny', 'translation', 'en', 'fr'],
  )
  const response = await post({ model: 'tiny', texts: ['open the file', 'le fichier'], alternatives: 1 })
  assert.equal(response.status, 200)
  const { translations } = v.parse(translateReplySchema, await response.json())
  assert.deepEqual(
    translations.map(({ alternatives }) => alternatives.length),
    [1, 1],
  )
})

test('what is not asked as it has to be is refused, by what is amiss', async () => {
  for (const [body, param, status] of [
    [{ model: 'other', texts: ['a'] }, 'model', 404],
    [{ model: 'tiny', texts: [] }, 'texts', 400],
    [{ model: 'tiny', texts: ['a', ''] }, 'texts.1', 400],
    [{ model: 'tiny', texts: ['a'], beam: 9 }, 'beam', 400],
  ] as const) {
    const response = await post(body)
    const { error } = (await response.json()) as { error: { param: string } }
    assert.deepEqual([response.status, error.param], [status, param])
  }
})

test('a closed connection ends it', async () => {
  const gone = new AbortController()
  const answer = post({ model: 'tiny', texts: Array(512).fill('open the file '.repeat(9)) }, gone.signal)
  while (models.requests === 0) await new Promise((resolve) => setImmediate(resolve))
  gone.abort()
  await assert.rejects(answer)
  while (models.requests > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await post({ model: 'tiny', texts: ['open'] })).status, 200)
})

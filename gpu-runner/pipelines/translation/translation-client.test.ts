import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import * as v from 'valibot'
import { ApiError } from '#protocol/error.ts'
import { translateReplySchema } from '#protocol/translation.ts'
import { writeTinyTranslation } from '../../testing/tiny-translation.ts'
import { TranslationClient } from './translation-client.ts'
import type { TranslationSource } from './translation-thread.ts'

const folder = await mkdtemp(path.join(tmpdir(), 'tandem-translation-'))
after(() => rm(folder, { recursive: true, force: true }))
const { parts } = await writeTinyTranslation(folder)
const tiny: TranslationSource = { kind: 'folder', folder, parts }
const data = { threads: 1, files: { root: folder, edge: undefined, secret: 'a secret' } }

const FILES = { vocabulary: 'vocabulary.json', encoder: 'encoder.onnx', decoder: 'decoder.onnx' }
const never = new AbortController().signal
const asked = (texts: readonly string[], more: object = {}) => ({
  ...{ model: 'tiny', texts: [...texts], beam: 4, alternatives: 0 },
  ...more,
})

test('texts are translated in their order, the same each time', async () => {
  await using client = new TranslationClient(data)
  const texts = ['open', 'the file ⟦4⟧', 'le fichier le fichier le fichier']
  const reply = await client.translate(tiny, asked(texts, { alternatives: 2 }), never)
  assert.deepEqual(v.parse(translateReplySchema, reply), reply)
  assert.equal(reply.translations.length, 3)
  assert.ok(reply.translations[1]?.text.includes('⟦4⟧'))
  for (const { read, alternatives } of reply.translations) assert.ok(read > 0 && alternatives.length === 2)
  assert.deepEqual(await client.translate(tiny, asked(texts, { alternatives: 2 }), never), reply)
  assert.equal(client.requests, 0)
})

test('a long request holds up none that is short', async () => {
  await using client = new TranslationClient(data)
  const ended: string[] = []
  const noted = async <T>(name: string, reply: Promise<T>): Promise<T> => {
    const done = await reply
    ended.push(name)
    return done
  }
  const long = client.translate(tiny, asked(Array(512).fill('open the file '.repeat(3))), never)
  const short = client.translate(tiny, asked(['the file']), never)
  const [many, one] = await Promise.all([noted('long', long), noted('short', short)])
  assert.equal(many.translations.length, 512)
  assert.equal(one.translations.length, 1)
  assert.deepEqual(ended, ['short', 'long'])
})

test('what nobody waits for any more is not gone on with', async () => {
  await using client = new TranslationClient(data)
  const gone = new AbortController()
  const long = client.translate(tiny, asked(Array(512).fill('open the file '.repeat(6))), gone.signal)
  const next = client.translate(tiny, asked(['open']), never)
  gone.abort(new Error('gone'))
  await assert.rejects(long, /gone/)
  assert.equal((await next).translations.length, 1)
  assert.equal(client.requests, 0)
  await assert.rejects(client.translate(tiny, asked(['open']), gone.signal), /gone/)
})

test('what cannot be loaded is told, and so is what would wait too long', async () => {
  await using client = new TranslationClient(data)
  await assert.rejects(client.translate({ ...tiny, folder: path.join(folder, 'none') }, asked(['open']), never), {
    code: 'runner_failed',
  })
  const waiting = Array.from({ length: 256 }, () => client.translate(tiny, asked(['open']), never))
  const refusal = await client.translate(tiny, asked(['open']), never).catch((error: unknown) => error)
  assert.ok(refusal instanceof ApiError && refusal.code === 'queue_full' && (refusal.retryAfter ?? 0) >= 1)
  await Promise.all(waiting)
})

test('whoever waits when the thread ends is told, and the next request starts another', async () => {
  await using client = new TranslationClient(data)
  const waiting = assert.rejects(client.translate(tiny, asked(['open']), never), { code: 'runner_failed' })
  await client[Symbol.asyncDispose]()
  await waiting
  assert.equal((await client.translate(tiny, asked(['open']), never)).translations.length, 1)
})

test('a model that was trained here is read by the hashes of its files', async () => {
  await using client = new TranslationClient(data)
  const published: TranslationSource = { kind: 'published', parts }
  const missing = await client.translate(published, asked(['open']), never).catch((error: unknown) => error)
  assert.ok(missing instanceof ApiError && missing.code === 'model_unavailable' && missing.retryAfter !== undefined)
  await mkdir(path.join(folder, 'published'))
  for (const [part, name] of Object.entries(FILES)) {
    const { sha256 } = parts[part as keyof typeof FILES]
    await copyFile(path.join(folder, name), path.join(folder, 'published', `${sha256}.onnx`))
  }
  const texts = ['open', 'the file ⟦4⟧']
  const reply = await client.translate(published, asked(texts), never)
  assert.deepEqual(reply, await client.translate(tiny, asked(texts), never))
})

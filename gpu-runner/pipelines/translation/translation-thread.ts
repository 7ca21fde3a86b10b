/**
 * The thread that translates: batch by batch, requests in turns, so that a long one holds up none that is short. See
 * `translation-client.ts` for the other side.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import * as v from 'valibot'
import { ApiError, type ErrorDetail } from '#protocol/error.ts'
import { publishedTranslationSchema } from '#protocol/published-model.ts'
import type { TranslateReply, TranslateRequest } from '#protocol/translation.ts'
import { Runtime } from '../../runtime/runtime.ts'
import { loadTranslator } from './load-translator.ts'
import type { TextTranslator } from './text-translator.ts'

export interface TranslationThreadData {
  readonly threads: number
}

export interface TranslationCommand {
  readonly id: number
  /** Of the model: `manifest.json`, and the files that it names. */
  readonly folder: string
  readonly request: TranslateRequest
  /** One whole number, which is 0 while the request is wanted. */
  readonly cancelled: Int32Array<SharedArrayBuffer>
}

export type TranslationMessage =
  | { readonly type: 'translated'; readonly id: number; readonly reply: TranslateReply }
  | { readonly type: 'failed'; readonly id: number; readonly error: ErrorDetail }
  /** Nobody waits for it. */
  | { readonly type: 'cancelled'; readonly id: number }

if (!parentPort) throw new TypeError('translations are made in a thread of their own')
const port = parentPort
const { threads } = workerData as TranslationThreadData
const ort = new Runtime({ threads })
const loaded = new Map<string, Promise<TextTranslator>>()

function translatorOf(folder: string): Promise<TextTranslator> {
  const known = loaded.get(folder)
  if (known) return known
  const loading = load(folder)
  loaded.set(folder, loading)
  // It is tried again for the next one.
  loading.catch(() => loaded.delete(folder))
  return loading
}

async function load(folder: string): Promise<TextTranslator> {
  const read = (name: string) => readFile(path.join(folder, name))
  const { parts } = v.parse(publishedTranslationSchema, JSON.parse((await read('manifest.json')).toString('utf8')))
  const [vocabulary, encoder, decoder] = await Promise.all(
    (['vocabulary.json', 'encoder.onnx', 'decoder.onnx'] as const).map(read),
  )
  return loadTranslator(ort, parts, { vocabulary, encoder, decoder } as Parameters<typeof loadTranslator>[2])
}

async function translate({ folder, request, cancelled }: TranslationCommand): Promise<TranslateReply | undefined> {
  const translator = await translatorOf(folder)
  const { texts, beam, alternatives } = request
  const isWanted = () => Atomics.load(cancelled, 0) === 0
  const batches = translator.inBatches(texts, { beam, alternatives, isWanted })
  for (;;) {
    const { done, value } = batches.next()
    if (done) return value && { translations: value.map((one) => ({ ...one, alternatives: [...one.alternatives] })) }
    await turn()
  }
}

async function answer(command: TranslationCommand): Promise<void> {
  const { id } = command
  try {
    const reply = await translate(command)
    send(reply ? { type: 'translated', id, reply } : { type: 'cancelled', id })
  } catch (thrown) {
    console.error(JSON.stringify({ level: 'error', event: 'translations', error: String(thrown) }))
    send({ type: 'failed', id, error: new ApiError('runner_failed', 'The model failed.').detail })
  }
}

const send = (message: TranslationMessage): void => port.postMessage(message)
port.on('message', (command: TranslationCommand) => void answer(command))

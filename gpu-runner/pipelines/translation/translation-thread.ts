/**
 * The thread that translates: batch by batch, requests in turns, so that a long one holds up none that is short. See
 * `translation-client.ts` for the other side.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { ApiError, type ErrorDetail } from '#protocol/error.ts'
import type { TranslationParts } from '#protocol/published-model.ts'
import type { TranslateReply, TranslateRequest } from '#protocol/translation.ts'
import { Runtime } from '../../runtime/runtime.ts'
import { PublishedFiles, type PublishedFilesOptions } from '../../store/published-files.ts'
import { loadTranslator } from './load-translator.ts'
import { LoadedTranslators } from './loaded-translators.ts'
import type { TextTranslator } from './text-translator.ts'

export interface TranslationThreadData {
  readonly threads: number
  /** Where the files of models are had that were trained here. */
  readonly files: PublishedFilesOptions
}

/** Where a model is: in a folder, or wherever files are had by their hashes. */
export type TranslationSource =
  | { readonly kind: 'folder'; readonly folder: string; readonly parts: TranslationParts }
  | { readonly kind: 'published'; readonly parts: TranslationParts }

export interface TranslationCommand {
  readonly id: number
  readonly source: TranslationSource
  readonly request: TranslateRequest
  /** One whole number, which is 0 while the request is wanted. */
  readonly cancelled: Int32Array<SharedArrayBuffer>
}

export type TranslationMessage =
  | { readonly type: 'translated'; readonly id: number; readonly reply: TranslateReply }
  | {
      readonly type: 'failed'
      readonly id: number
      readonly error: ErrorDetail
      readonly retryAfter: number | undefined
    }
  /** Nobody waits for it. */
  | { readonly type: 'cancelled'; readonly id: number }

const BOUNDS = { mostModels: 8, mostBytes: 256 << 20 }
/** In a folder. */
const FILE_NAMES = { vocabulary: 'vocabulary.json', encoder: 'encoder.onnx', decoder: 'decoder.onnx' } as const

if (!parentPort) throw new TypeError('translations are made in a thread of their own')
const port = parentPort
const { threads, files } = workerData as TranslationThreadData
const ort = new Runtime({ threads })
const published = new PublishedFiles(files)
const loaded = new LoadedTranslators(BOUNDS)

async function load(source: TranslationSource): Promise<TextTranslator> {
  const { parts } = source
  const read = (part: 'vocabulary' | 'encoder' | 'decoder'): Promise<Uint8Array> =>
    source.kind === 'published' ? published.read(parts[part]) : readFile(path.join(source.folder, FILE_NAMES[part]))
  const [vocabulary, encoder, decoder] = await Promise.all([read('vocabulary'), read('encoder'), read('decoder')])
  return loadTranslator(ort, parts, { vocabulary, encoder, decoder })
}

/** By what a model is made of: a hash says nothing of whose it is, and two owners' files of one hash are the same. */
function modelOf(source: TranslationSource) {
  const { parts } = source
  const key = source.kind === 'folder' ? source.folder : JSON.stringify(parts)
  return { key, bytes: parts.encoder.bytes + parts.decoder.bytes, load: () => load(source) }
}

async function translate({ source, request, cancelled }: TranslationCommand): Promise<TranslateReply | undefined> {
  const { texts, beam, alternatives } = request
  const isWanted = () => Atomics.load(cancelled, 0) === 0
  return loaded.use(modelOf(source), async (translator) => {
    const batches = translator.inBatches(texts, { beam, alternatives, isWanted })
    for (;;) {
      const { done, value } = batches.next()
      if (done) return value && { translations: value.map((one) => ({ ...one, alternatives: [...one.alternatives] })) }
      await turn()
    }
  })
}

async function answer(command: TranslationCommand): Promise<void> {
  const { id } = command
  try {
    const reply = await translate(command)
    send(reply ? { type: 'translated', id, reply } : { type: 'cancelled', id })
  } catch (thrown) {
    console.error(JSON.stringify({ level: 'error', event: 'translations', error: String(thrown) }))
    const error = thrown instanceof ApiError ? thrown : new ApiError('runner_failed', 'The model failed.')
    send({ type: 'failed', id, error: error.detail, retryAfter: error.retryAfter })
  }
}

const send = (message: TranslationMessage): void => port.postMessage(message)
port.on('message', (command: TranslationCommand) => void answer(command))

/**
 * The thread that owns an embedding model: makes tokens of texts, and computes batch by batch. Commands are looked at
 * between batches. See `embedding-client.ts` for the other side.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { createWordPiece } from '#models/tokenizer/word-piece.ts'
import { LIMITS } from '#protocol/limits.ts'
import { Runtime } from '../../runtime/runtime.ts'
import { readBert } from '../../store/bert-checkpoint.ts'
import { Batches } from './batches.ts'
import { Embedder } from './embedder.ts'

export interface EmbeddingThreadData {
  readonly modelPath: string
  /** The contents of `tokenizer.json`. */
  readonly tokenizer: string
  /** Tokens that a text may have. */
  readonly contextLength: number
  readonly threads: number
}

export interface EmbeddingRequest {
  /** Whose request this is; tenants take turns. */
  readonly tenant: string
  /** Texts, or their tokens. */
  readonly inputs: readonly (string | readonly number[])[]
  /** How many numbers of each vector are wanted, the first ones; null: all. */
  readonly dimensions: number | null
}

export type EmbeddingCommand =
  | { readonly type: 'embed'; readonly id: number; readonly request: EmbeddingRequest }
  | { readonly type: 'cancel'; readonly id: number }
  /** Lets go of the model and ends the thread. */
  | { readonly type: 'unload' }

/** Why a request cannot be computed. */
export type EmbeddingRefusal =
  | { readonly reason: 'too-long'; readonly index: number; readonly tokens: number }
  | { readonly reason: 'too-many'; readonly tokens: number }
  | { readonly reason: 'unknown-token'; readonly index: number; readonly token: number; readonly known: number }
  | { readonly reason: 'dimensions'; readonly most: number }

export type EmbeddingMessage =
  | { readonly type: 'ready'; readonly dimensions: number }
  | {
      readonly type: 'embedded'
      readonly id: number
      /** [inputs, dimensions] */
      readonly vectors: Float32Array
      readonly dimensions: number
      /** Of all inputs. */
      readonly tokens: number
    }
  | { readonly type: 'refused'; readonly id: number; readonly refusal: EmbeddingRefusal }

if (!parentPort) throw new TypeError('the embedder runs in a thread of its own')
const port = parentPort
const send = (message: EmbeddingMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

const { modelPath, tokenizer: file, contextLength, threads } = workerData as EmbeddingThreadData
const tokenizer = createWordPiece(file)
const runtime = new Runtime({ threads })
const { config, model } = readBert(modelPath)
if (contextLength > config.positions) throw new RangeError(`the model has ${config.positions} positions`)
const embedder = new Embedder(runtime, model, config.hiddenSize)
const batches = new Batches()

interface Running {
  readonly vectors: Float32Array<ArrayBuffer>
  readonly dimensions: number
  readonly tokens: number
  left: number
}
const running = new Map<number, Running>()

function begin(id: number, { tenant, inputs, dimensions: wanted }: EmbeddingRequest): void {
  const texts = inputs.map((input) => (typeof input === 'string' ? tokenizer.encode(input) : input))
  const dimensions = wanted ?? config.hiddenSize
  const tokens = texts.reduce((sum, { length }) => sum + length, 0)
  const refusal = refusalOf(texts, dimensions, tokens)
  if (refusal) {
    send({ type: 'refused', id, refusal })
    return
  }
  running.set(id, { vectors: new Float32Array(texts.length * dimensions), dimensions, tokens, left: texts.length })
  batches.add({ id, tenant, texts })
  step()
}

function refusalOf(
  texts: readonly (readonly number[])[],
  dimensions: number,
  tokens: number,
): EmbeddingRefusal | undefined {
  if (dimensions > config.hiddenSize) return { reason: 'dimensions', most: config.hiddenSize }
  for (const [index, text] of texts.entries()) {
    if (text.length > contextLength) return { reason: 'too-long', index, tokens: text.length }
    const known = tokenizer.vocabularySize
    const token = text.find((candidate) => candidate >= known)
    if (token !== undefined) return { reason: 'unknown-token', index, token, known }
  }
  if (tokens > LIMITS.embeddingTokens) return { reason: 'too-many', tokens }
  return undefined
}

let stepping = false
function step(): void {
  if (stepping) return
  stepping = true
  setImmediate(compute)
}

function compute(): void {
  stepping = false
  const batch = batches.next()
  if (!batch) return
  const vectors = embedder.embed(
    batch.texts.map(({ tokens }) => tokens),
    batch.length,
  )
  for (const [row, { id, index }] of batch.texts.entries()) {
    const request = running.get(id)
    if (!request) continue
    const { dimensions } = request
    const vector = vectors.subarray(row * config.hiddenSize, row * config.hiddenSize + dimensions)
    request.vectors.set(dimensions < config.hiddenSize ? ofLengthOne(vector) : vector, index * dimensions)
    request.left--
    if (request.left > 0) continue
    running.delete(id)
    const { vectors: whole, tokens } = request
    send({ type: 'embedded', id, vectors: whole, dimensions, tokens }, [whole.buffer])
  }
  step()
}

/** The direction of what is left of a vector. */
function ofLengthOne(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return length === 0 ? vector : vector.map((x) => x / length)
}

port.on('message', (command: EmbeddingCommand) => {
  switch (command.type) {
    case 'embed':
      return begin(command.id, command.request)
    case 'cancel':
      running.delete(command.id)
      return batches.cancel(command.id)
    case 'unload':
      embedder[Symbol.dispose]()
      runtime[Symbol.dispose]()
      return port.close()
  }
})
send({ type: 'ready', dimensions: config.hiddenSize })

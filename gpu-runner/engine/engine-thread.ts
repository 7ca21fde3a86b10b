/**
 * The thread that owns a model: builds its graph if need be, loads it, and steps the engine. Commands are looked at
 * between steps. See `engine-client.ts` for the other side.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { parseGguf } from '#models/importers/gguf.ts'
import { createTokenizer } from '#models/tokenizer/tokenizer.ts'
import { Runtime } from '../runtime/runtime.ts'
import { ensureDecoderGraphs } from '../store/decoder-graph.ts'
import { openRangeReader } from '../store/range-reader.ts'
import { Engine, type EngineEvent, type EngineRequest } from './engine.ts'
import { bytesPerToken, shareOut } from './kv-cache.ts'
import { OnnxDecoder } from './onnx-decoder.ts'

/** Bytes for keys and values. */
export interface EngineMemory {
  /** Of running sequences, if all were as long as the context. */
  readonly kvBytes: number
  /** Of earlier ones, kept to be taken up again. */
  readonly prefixCacheBytes: number
}
export interface EngineThreadData extends EngineMemory {
  readonly ggufPath: string
  readonly sha256: string
  readonly threads: number
  /** The folder of the CUDA provider, to run there. */
  readonly cuda?: string | undefined
}
export type EngineCommand =
  | { readonly type: 'submit'; readonly request: EngineRequest }
  | { readonly type: 'cancel'; readonly id: number }
  /** Lets go of the model and ends the thread. */
  | { readonly type: 'unload' }
export type EngineMessage =
  | EngineEvent
  | { readonly type: 'ready'; readonly contextLength: number; readonly slots: number }

/** Of a GPU's free memory; the weights, and what the operators need for a while, take from the rest. */
const GPU_KV_SHARE = 0.5

if (!parentPort) throw new TypeError('the engine runs in a thread of its own')
const port = parentPort
const send = (message: EngineMessage) => port.postMessage(message)

const { ggufPath, sha256, threads, cuda, kvBytes, prefixCacheBytes } = workerData as EngineThreadData
const runtime = new Runtime({ threads, cuda })
const device = cuda === undefined ? 'cpu' : 'cuda'
const { paths, config } = ensureDecoderGraphs(ggufPath, sha256, device === 'cuda' ? 'float16' : 'float32')
const room = Math.min(kvBytes, runtime.freeDeviceBytes() * GPU_KV_SHARE)
const shares = shareOut(room, { bytesPerToken: bytesPerToken(config), contextLength: config.contextLength })
const decoder = new OnnxDecoder(runtime, { paths, device, ...config, ...shares })
using reader = openRangeReader(ggufPath)
const vocabulary = createTokenizer(parseGguf(reader).metadata)
const engine = new Engine({ decoder, vocabulary, emit: send, now: () => performance.now(), prefixCacheBytes })
// The first runs are slow: they touch the weights and make the operators' buffers.
decoder.prefill([0, 0], 0, 0)
decoder.decode([0], [2])

let stepping = false
const step = () => {
  stepping = engine.step()
  if (stepping) setImmediate(step)
}
port.on('message', (command: EngineCommand) => {
  if (command.type === 'cancel') return engine.cancel(command.id)
  if (command.type === 'unload') {
    decoder[Symbol.dispose]()
    runtime[Symbol.dispose]()
    return port.close()
  }
  engine.submit(command.request)
  if (stepping) return
  stepping = true
  setImmediate(step)
})
send({ type: 'ready', ...shares })

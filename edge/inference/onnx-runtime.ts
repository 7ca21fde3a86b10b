/**
 * ONNX Runtime Web in workerd: one thread, the WebAssembly module that came with the Worker. A Worker may not compile
 * code while it runs, so where the engine's own loader would compile bytes, it is given the module instead.
 *
 * Imported lazily, so that a Worker that runs no model pays nothing for it.
 */

import compiled from 'onnxruntime-web/ort-wasm-simd-threaded.wasm'
import { env, InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-web/wasm'
import type { Session, Tensors } from './tensor.ts'
import { Turns } from './turns.ts'

/** Stands for the module's bytes: no WebAssembly file is that short. */
const SENTINEL_BYTES = 1

/** Of the global `WebAssembly`, what the engine's loader calls. */
interface Assembly {
  instantiate(source: unknown, imports: unknown): Promise<object>
}
const assembly: Assembly = Reflect.get(globalThis, 'WebAssembly')

/** The engine's stack is shared by all calls that are under way, so there is one at a time. */
const turns = new Turns()
let loaded = false

/** @throws Error if the bytes are no model that the engine can run */
export function createSession(bytes: Uint8Array): Promise<Session> {
  return turns.take(async () => {
    const session = loaded ? await open(bytes) : await load(bytes)
    let released = false
    return {
      run: (inputs) => turns.take(async () => (released ? null : run(session, inputs))),
      release: () =>
        turns.take(() => {
          released = true
          return session.release()
        }),
    }
  })
}

function open(bytes: Uint8Array): Promise<InferenceSession> {
  return InferenceSession.create(bytes, { executionProviders: ['wasm'], logSeverityLevel: 4 })
}

/** The first call starts the engine. */
async function load(bytes: Uint8Array): Promise<InferenceSession> {
  env.wasm.numThreads = 1
  env.wasm.wasmBinary = new ArrayBuffer(SENTINEL_BYTES)
  const { instantiate } = assembly
  assembly.instantiate = async (source, imports) => {
    if (!isSentinel(source)) throw new TypeError('Only the engine is loaded this way.')
    const instance = await instantiate(compiled, imports)
    loaded = true
    return { module: compiled, instance }
  }
  try {
    return await open(bytes)
  } finally {
    assembly.instantiate = instantiate
  }
}

function isSentinel(source: unknown): boolean {
  return (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) && source.byteLength === SENTINEL_BYTES
}

async function run(session: InferenceSession, inputs: Tensors): Promise<Tensors> {
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape }]) => [name, new OnnxTensor('float32', data, shape)]),
  )
  const results = await session.run(feeds)
  return Object.fromEntries(
    Object.entries(results).map(([name, { data, dims }]) => {
      if (!(data instanceof Float32Array)) throw new TypeError(`The model's output '${name}' is not float32.`)
      return [name, { data, shape: dims }]
    }),
  )
}

/**
 * ONNX Runtime's sessions on its C API.
 *
 * Why not onnxruntime-node's binding: it copies every output on return, which for a KV cache is most of the work. Here a
 * graph's inputs and outputs are bound once to tensors that stay where they are, and a run moves nothing.
 *
 *   using ort = new Runtime({ threads: 2 })
 *   using session = ort.session('decoder.onnx')
 *   using x = ort.tensor('float32', [1, 4])
 *   using y = ort.tensor('float32', [1, 4])
 *   using step = session.bind({ x }, { y })
 *   step.run()
 *
 * Every object holds what it needs, so disposing in a wrong order throws instead of crashing; `using` gets it right.
 */
import path from 'node:path'
import koffi from 'koffi'
import type { ElementType } from '#models/graph/tensor-type.ts'
import { Binding } from './binding.ts'
import { Handle } from './handle.ts'
import { type Api, loadLibrary, made, type Ptr } from './ort-c-api.ts'
import { type DataOf, Tensor, zeros } from './tensor.ts'

export interface RuntimeOptions {
  /** Threads that one operator is spread over; all sessions share them. */
  readonly threads: number
}
export interface SessionOptions {
  /** Keys of onnxruntime_session_options_config_keys.h, such as `session.intra_op.allow_spinning`. */
  readonly config?: Readonly<Record<string, string>>
}
const ALL_OPTIMIZATIONS = 99
const LOG_ERRORS = 3
const DEVICE_ALLOCATOR = 0
const DEFAULT_MEMORY = 0

/**
 * ONNX Runtime in this process. Loading it again, in a worker or beside onnxruntime-node, shares the one library, and the
 * threads of the runtime that is there already.
 */
export class Runtime implements Disposable {
  readonly version: string
  readonly #api: Api
  readonly #env: Handle<'Env'>
  readonly #ram: Handle<'MemoryInfo'>

  constructor({ threads }: RuntimeOptions) {
    const { api, version } = loadLibrary()
    this.#api = api
    this.version = version
    const threading = made<'ThreadingOptions'>((out) => api.CreateThreadingOptions(out))
    try {
      api.SetGlobalIntraOpNumThreads(threading, threads)
      api.SetGlobalInterOpNumThreads(threading, 1)
      this.#env = new Handle(
        'runtime',
        made((out) => api.CreateEnvWithGlobalThreadPools(LOG_ERRORS, 'tandem', threading, out)),
        api.ReleaseEnv,
      )
    } finally {
      api.ReleaseThreadingOptions(threading)
    }
    this.#ram = new Handle(
      'memory info',
      made((out) => api.CreateMemoryInfo('Cpu', DEVICE_ALLOCATOR, 0, DEFAULT_MEMORY, out)),
      api.ReleaseMemoryInfo,
    )
    api.DisableTelemetryEvents(this.#env.pointer)
  }

  /** A tensor over `data`, or over new zeros. */
  tensor<T extends ElementType>(type: T, dims: readonly number[], data?: DataOf<T>): Tensor<T> {
    const elements =
      data ??
      zeros(
        type,
        dims.reduce((a, b) => a * b, 1),
      )
    return new Tensor(this.#api, this.#ram, type, dims, elements)
  }

  /** Loads a model from a file; its external data is found beside it. Throws OrtError if it is not a legal model. */
  session(model: string, { config = {} }: SessionOptions = {}): Session {
    const api = this.#api
    const options = made<'SessionOptions'>((out) => api.CreateSessionOptions(out))
    try {
      api.DisablePerSessionThreads(options)
      api.SetSessionGraphOptimizationLevel(options, ALL_OPTIMIZATIONS)
      api.DisableMemPattern(options)
      for (const [key, value] of Object.entries(config)) api.AddSessionConfigEntry(options, key, value)
      const session = made<'Session'>((out) => api.CreateSession(this.#env.pointer, path.resolve(model), options, out))
      return new Session(api, session, this.#env.hold())
    } finally {
      api.ReleaseSessionOptions(options)
    }
  }

  [Symbol.dispose](): void {
    this.#env.release()
    this.#ram.release()
  }
}

export class Session implements Disposable {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly #api: Api
  readonly #env: Disposable
  readonly #handle: Handle<'Session'>

  constructor(api: Api, session: Ptr<'Session'>, env: Disposable) {
    this.#api = api
    this.#env = env
    this.#handle = new Handle('session', session, api.ReleaseSession)
    this.inputs = names(api, session, 'Input')
    this.outputs = names(api, session, 'Output')
  }

  /** Throws TypeError naming inputs that are missing: unbound, one would fail only inside the first kernel to read it. */
  bind(inputs: Readonly<Record<string, Tensor>>, outputs: Readonly<Record<string, Tensor>>): Binding {
    const missing = this.inputs.filter((name) => !inputs[name])
    if (missing.length > 0) throw new TypeError(`inputs not bound: ${missing.join(', ')}`)
    return new Binding(this.#api, this.#handle, inputs, outputs)
  }

  [Symbol.dispose](): void {
    this.#handle.release()
    this.#env[Symbol.dispose]()
  }
}

function names(api: Api, session: Ptr<'Session'>, side: 'Input' | 'Output'): string[] {
  const heap = made<'Allocator'>((out) => api.GetAllocatorWithDefaultOptions(out))
  const count = Number(made((out) => api[`SessionGet${side}Count`](session, out)))
  return Array.from({ length: count }, (_, i) => {
    const chars = made<'Memory'>((out) => api[`SessionGet${side}Name`](session, i, heap, out))
    try {
      return koffi.decode.string(chars)
    } finally {
      api.AllocatorFree(heap, chars)
    }
  })
}

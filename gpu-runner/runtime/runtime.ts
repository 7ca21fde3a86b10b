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
import { type Cuda, loadCuda } from './cuda.ts'
import { DeviceMemory } from './device-memory.ts'
import { Handle } from './handle.ts'
import { type Device, HostMemory, type Memory, memoryInfo } from './memory.ts'
import { type Api, loadLibrary, made, type Ptr } from './ort-c-api.ts'
import { type DataOf, Tensor, zeros } from './tensor.ts'

export interface RuntimeOptions {
  /** Threads that one operator is spread over; all sessions share them. */
  readonly threads: number
  /** The folder of the CUDA provider, with a copy of ONNX Runtime's library. Without it there is only the CPU. */
  readonly cuda?: string | undefined
}
export interface SessionOptions {
  /** What the graph runs on; `cpu` by default. What a GPU has no kernel for runs on the CPU all the same. */
  readonly device?: Device
  /** Keys of onnxruntime_session_options_config_keys.h, such as `session.intra_op.allow_spinning`. */
  readonly config?: Readonly<Record<string, string>>
}

/** TF32 would round what float32 computes to 10 bits. Memory is taken as it is asked for: most of it is one KV cache. */
const CUDA_OPTIONS = { device_id: '0', use_tf32: '0', arena_extend_strategy: 'kSameAsRequested' }
const ALL_OPTIMIZATIONS = 99
const LOG_ERRORS = 3

/**
 * ONNX Runtime in this process. Loading it again, in a worker or beside onnxruntime-node, shares the one library, and the
 * threads of the runtime that is there already.
 */
export class Runtime implements Disposable {
  readonly version: string
  readonly #api: Api
  readonly #env: Handle<'Env'>
  readonly #ram: Handle<'MemoryInfo'>
  readonly #cuda: Cuda | undefined

  /** Throws CudaError if the CUDA provider's libraries cannot be loaded. */
  constructor({ threads, cuda }: RuntimeOptions) {
    this.#cuda = cuda === undefined ? undefined : loadCuda(cuda)
    const { api, version } = loadLibrary(this.#cuda?.onnxRuntime)
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
    this.#ram = memoryInfo(api, 'Cpu')
    api.DisableTelemetryEvents(this.#env.pointer)
  }

  /** Memory that the GPU has left; Infinity without one, as the limit is another one then. */
  freeDeviceBytes(): number {
    return this.#cuda?.freeBytes() ?? Number.POSITIVE_INFINITY
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

  /**
   * Loads a model from a file, whose external data is found beside it, or from the bytes of one that has none. Throws
   * OrtError if it is not a legal model.
   */
  session(model: string | Uint8Array, { device = 'cpu', config = {} }: SessionOptions = {}): Session {
    const api = this.#api
    const cuda = device === 'cuda' ? this.#cuda : undefined
    if (device === 'cuda' && !cuda) throw new TypeError('the runtime was made without the CUDA provider')
    const options = made<'SessionOptions'>((out) => api.CreateSessionOptions(out))
    try {
      api.DisablePerSessionThreads(options)
      api.SetSessionGraphOptimizationLevel(options, ALL_OPTIMIZATIONS)
      api.DisableMemPattern(options)
      for (const [key, value] of Object.entries(config)) api.AddSessionConfigEntry(options, key, value)
      if (cuda) appendCuda(api, options)
      const session = made<'Session'>((out) =>
        typeof model === 'string'
          ? api.CreateSession(this.#env.pointer, path.resolve(model), options, out)
          : api.CreateSessionFromArray(this.#env.pointer, model, model.byteLength, options, out),
      )
      return new Session(api, session, { env: this.#env, ram: this.#ram, cuda })
    } finally {
      api.ReleaseSessionOptions(options)
    }
  }

  [Symbol.dispose](): void {
    this.#env.release()
    this.#ram.release()
  }
}

/** Throws OrtError if the provider's library or what it needs is not there, or there is no GPU. */
function appendCuda(api: Api, options: Ptr<'SessionOptions'>): void {
  const cuda = made<'CudaOptions'>((out) => api.CreateCUDAProviderOptions(out))
  try {
    const keys = Object.keys(CUDA_OPTIONS)
    api.UpdateCUDAProviderOptions(cuda, keys, Object.values(CUDA_OPTIONS), keys.length)
    api.SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda)
  } finally {
    api.ReleaseCUDAProviderOptions(cuda)
  }
}

/** What a session has of its runtime. */
interface Surroundings {
  readonly env: Handle<'Env'>
  readonly ram: Handle<'MemoryInfo'>
  /** Of a session on a GPU. */
  readonly cuda: Cuda | undefined
}

export class Session implements Disposable {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly #api: Api
  readonly #env: Disposable
  readonly #ram: Handle<'MemoryInfo'>
  readonly #cuda: Cuda | undefined
  readonly #handle: Handle<'Session'>

  constructor(api: Api, session: Ptr<'Session'>, { env, ram, cuda }: Surroundings) {
    this.#api = api
    this.#env = env.hold()
    this.#ram = ram
    this.#cuda = cuda
    this.#handle = new Handle('session', session, api.ReleaseSession)
    this.inputs = names(api, session, 'Input')
    this.outputs = names(api, session, 'Output')
  }

  /** Throws TypeError naming inputs that are missing: unbound, one would fail only inside the first kernel to read it. */
  bind(inputs: Readonly<Record<string, Tensor>>, outputs: Readonly<Record<string, Tensor>>): Binding {
    const missing = this.inputs.filter((name) => !inputs[name])
    if (missing.length > 0) throw new TypeError(`inputs not bound: ${missing.join(', ')}`)
    return new Binding(this.#api, this.#handle, this.#cuda ? 'cuda' : 'cpu', inputs, outputs)
  }

  /** Zeroed memory of the device that the session is on, for tensors that stay there from run to run. */
  memory(byteLength: number): Memory {
    if (!this.#cuda) return new HostMemory(this.#api, this.#ram, byteLength)
    return new DeviceMemory({ api: this.#api, session: this.#handle, device: this.#cuda, byteLength })
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

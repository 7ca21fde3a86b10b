/**
 * ONNX Runtime's C API as typed functions, called straight from JavaScript through koffi.
 *
 * The library exports one symbol, `OrtGetApiBase`; it leads to a table of function pointers (onnxruntime_c_api.h).
 * `Api` holds those this project uses, each checking its status: failures are thrown as `OrtError`.
 */
import { createRequire } from 'node:module'
import path from 'node:path'
import koffi, { type LibraryHandle } from 'koffi'

// ONNX Runtime's own telemetry is off; it reads this when it loads.
process.env.ORT_DISABLE_TELEMETRY = '1'
// Foreign code runs on koffi's own stack (default 2 MiB); ONNX Runtime expects a thread's 8 MiB.
koffi.config({ sync_stack_size: 8 << 20 })

/** A native pointer. The brand is for the compiler: every handle is a `void *` to C, so only types keep them apart. */
export type Ptr<T extends string> = bigint & { readonly handle: T }
/** A koffi type name that remembers the JavaScript type of its values. */
type CType<T> = string & { readonly js?: T }
const ptr = <T extends string>() => 'void *' as CType<Ptr<T>>

const env = ptr<'Env'>()
const options = ptr<'SessionOptions'>()
const session = ptr<'Session'>()
const runOptions = ptr<'RunOptions'>()
const value = ptr<'Value'>()
const memoryInfo = ptr<'MemoryInfo'>()
const allocator = ptr<'Allocator'>()
const binding = ptr<'IoBinding'>()
const memory = ptr<'Memory'>()
const cudaOptions = ptr<'CudaOptions'>()
const threading = ptr<'ThreadingOptions'>()
const int = 'int' as CType<number>
const size = 'size_t' as CType<number>
const text = 'str' as CType<string>
/** ORTCHAR_T is wchar_t on Windows only. */
const file = (process.platform === 'win32' ? 'str16' : 'str') as CType<string>
const texts = 'const char **' as CType<readonly string[]>
const data = 'void *' as CType<ArrayBufferView | Ptr<'Memory'>>
const dims64 = 'int64_t *' as CType<BigInt64Array>
/** Where a function leaves one pointer or size_t. */
const out = 'void *' as CType<BigUint64Array>

/** `[index in OrtApi, ...parameters]`. The table is append-only, so an index holds for every later release. */
const fallible = {
  DisableTelemetryEvents: [6, env],
  CreateSession: [7, env, file, options, out],
  CreateSessionFromArray: [8, env, data, size, options, out],
  CreateSessionOptions: [10, out],
  DisableMemPattern: [17, options],
  SetSessionGraphOptimizationLevel: [23, options, int],
  SessionGetInputCount: [30, session, out],
  SessionGetOutputCount: [31, session, out],
  SessionGetInputName: [36, session, size, allocator, out],
  SessionGetOutputName: [37, session, size, allocator, out],
  CreateRunOptions: [39, out],
  CreateTensorWithDataAsOrtValue: [49, memoryInfo, data, size, dims64, size, int, out],
  CreateMemoryInfo: [68, text, int, int, int, out],
  AllocatorAlloc: [75, allocator, size, out],
  AllocatorFree: [76, allocator, memory],
  GetAllocatorWithDefaultOptions: [78, out],
  CreateEnvWithGlobalThreadPools: [119, int, text, threading, out],
  DisablePerSessionThreads: [120, options],
  CreateThreadingOptions: [121, out],
  AddSessionConfigEntry: [130, options, text, text],
  CreateAllocator: [131, session, memoryInfo, out],
  RunWithBinding: [133, session, runOptions, binding],
  CreateIoBinding: [134, session, out],
  BindInput: [136, binding, text, value],
  BindOutput: [137, binding, text, value],
  SetGlobalIntraOpNumThreads: [147, threading, int],
  SetGlobalInterOpNumThreads: [148, threading, int],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, options, cudaOptions],
  CreateCUDAProviderOptions: [205, out],
  UpdateCUDAProviderOptions: [206, cudaOptions, texts, texts, size],
} as const

/** Functions that cannot fail. */
const infallible = {
  ReleaseEnv: [92, env],
  ReleaseMemoryInfo: [94, memoryInfo],
  ReleaseSession: [95, session],
  ReleaseValue: [96, value],
  ReleaseRunOptions: [97, runOptions],
  ReleaseSessionOptions: [100, options],
  ReleaseThreadingOptions: [122, threading],
  ReleaseAllocator: [132, allocator],
  ReleaseIoBinding: [135, binding],
  ReleaseCUDAProviderOptions: [208, cudaOptions],
} as const
const STATUS = { code: 1, message: 2, release: 93 } as const

/** The first release (1.11) whose table holds every index above; any later library serves it too. */
const API_VERSION = 11

type Args<S> = S extends readonly [number, ...infer P]
  ? { [K in keyof P]: P[K] extends CType<infer T> ? T : never }
  : never
type Fallible = { [K in keyof typeof fallible]: (...args: Args<(typeof fallible)[K]>) => void }
type Infallible = { [K in keyof typeof infallible]: (...args: Args<(typeof infallible)[K]>) => void }
export type Api = Fallible & Infallible

export class OrtError extends Error {
  override readonly name = 'OrtError'
  /** OrtErrorCode: 1 fail, 2 invalid argument, 3 no such file, 6 runtime exception, 7 invalid protobuf, 10 invalid graph. */
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

interface Library {
  readonly handle: LibraryHandle
  readonly api: Api
  readonly version: string
}
/**
 * By path, held for good: koffi unloads a library once its handle is collected, and function pointers do not keep it.
 */
const libraries = new Map<string, Library>()

/**
 * The library that onnxruntime-node ships, or a copy of it. Loaded once, its function table turned into functions that
 * throw.
 */
export function loadLibrary(file: string = libraryPath()): Library {
  const library = libraries.get(file) ?? open(file)
  libraries.set(file, library)
  return library
}

function open(path: string): Library {
  const at = (fn: bigint | undefined, result: string, parameters: readonly string[]) => {
    if (!fn) throw new OrtError(1, 'the ONNX Runtime library has a gap in its function table')
    return koffi.decode(fn, koffi.proto(result, [...parameters]))
  }
  const handle = koffi.load(path)
  const base = handle.func('OrtGetApiBase', 'void *', [])()
  const [getApi, getVersion]: bigint[] = koffi.decode(base, 'void *', 2)
  const version: string = at(getVersion, 'str', [])()
  const table = at(getApi, 'void *', ['uint32_t'])(API_VERSION)
  if (!table) throw new OrtError(1, `ONNX Runtime ${version} does not offer API version ${API_VERSION}`)
  const length = 1 + Math.max(...Object.values({ ...fallible, ...infallible }).map(([index]) => index))
  const functions: bigint[] = koffi.decode(table, 'void *', length)

  const errorCode = at(functions[STATUS.code], 'int', ['void *'])
  const errorMessage = at(functions[STATUS.message], 'str', ['void *'])
  const releaseStatus = at(functions[STATUS.release], 'void', ['void *'])
  const api: Record<string, (...args: unknown[]) => void> = {}
  for (const [name, [index, ...parameters]] of Object.entries(infallible)) {
    api[name] = at(functions[index], 'void', parameters)
  }
  for (const [name, [index, ...parameters]] of Object.entries(fallible)) {
    const call = at(functions[index], 'void *', parameters)
    api[name] = (...args) => {
      const status = call(...args)
      if (!status) return
      const error = new OrtError(errorCode(status), errorMessage(status))
      releaseStatus(status)
      throw error
    }
  }
  return { handle, api: api as Api, version }
}

/** Where onnxruntime-node has its library. */
export function libraryPath(): string {
  const names: Partial<Record<NodeJS.Platform, string>> = {
    linux: 'libonnxruntime.so.1',
    darwin: 'libonnxruntime.1.dylib',
    win32: 'onnxruntime.dll',
  }
  const name = names[process.platform]
  if (!name) throw new OrtError(1, `onnxruntime-node ships no library for ${process.platform}`)
  const root = path.dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
  return path.join(root, 'bin', 'napi-v6', process.platform, process.arch, name)
}

const slot = new BigUint64Array(1)
/** Calls `create` with a slot for its result and returns what it left there. */
export function made<T extends string>(create: (out: BigUint64Array) => void): Ptr<T> {
  create(slot)
  return slot[0] as Ptr<T>
}

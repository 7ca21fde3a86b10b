/**
 * CUDA's libraries, found and loaded in an order in which each finds those it needs: in the provider's folder, else where
 * the system has them. ONNX Runtime looks for its provider beside its own library, so a copy of that lies there too.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import koffi, { type LibraryHandle } from 'koffi'
import type { DeviceCopies } from './device-memory.ts'

/** The name that ONNX Runtime's library has in the folder. */
export const ONNX_RUNTIME = 'libonnxruntime.so.1'
export const DRIVER = 'libcuda.so.1'
/** Each after those that it needs. */
export const CUDA_LIBRARIES = {
  runtime: 'libcudart.so.13',
  nvrtc: 'libnvrtc.so.13',
  cublasLt: 'libcublasLt.so.13',
  cublas: 'libcublas.so.13',
  curand: 'libcurand.so.10',
  cudnn: 'libcudnn.so.9',
} as const

/** CUDA cannot be used; the message says why, in words for who runs this machine. */
export class CudaError extends Error {
  override readonly name = 'CudaError'
}

export interface Cuda extends DeviceCopies {
  /** The path of ONNX Runtime's library that finds the provider. */
  readonly onnxRuntime: string
  /** Of the GPU's memory. */
  freeBytes(): number
}

/** A library whose functions can be called. */
export type NativeLibrary = LibraryHandle

/** Held for good: koffi unloads a library once its handle is collected. */
const handles = new Map<string, NativeLibrary>()

/** The library of that name: in the folder, else where the system has it. Throws CudaError. */
export function openCudaLibrary(name: string, folder: string | undefined): NativeLibrary {
  const own = folder === undefined ? undefined : path.join(folder, name)
  const file = own !== undefined && existsSync(own) ? own : name
  try {
    const handle = handles.get(file) ?? koffi.load(file)
    handles.set(file, handle)
    return handle
  } catch (cause) {
    throw new CudaError(`${name} was not found or cannot be loaded (${messageOf(cause)})`, { cause })
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** The direction of a copy is told from the addresses (`cudaMemcpyDefault`). */
const BY_ADDRESS = 4

/** Throws CudaError naming the library that is missing. */
export function loadCuda(folder: string): Cuda {
  openCudaLibrary(DRIVER, undefined)
  for (const name of Object.values(CUDA_LIBRARIES)) openCudaLibrary(name, folder)
  const runtime = openCudaLibrary(CUDA_LIBRARIES.runtime, folder)
  const describe = runtime.func('cudaGetErrorString', 'str', ['int'])
  const memcpy2D = runtime.func('cudaMemcpy2D', 'int', [
    'void *',
    'size_t',
    'const void *',
    'size_t',
    'size_t',
    'size_t',
    'int',
  ])
  const memset = runtime.func('cudaMemset', 'int', ['void *', 'int', 'size_t'])
  const memGetInfo = runtime.func('cudaMemGetInfo', 'int', ['void *', 'void *'])
  const synchronize = runtime.func('cudaDeviceSynchronize', 'int', [])
  const check = (code: number) => {
    if (code !== 0) throw new CudaError(`CUDA failed: ${describe(code)} (${code})`)
  }
  return {
    onnxRuntime: path.join(folder, ONNX_RUNTIME),
    memoryName: 'Cuda',
    freeBytes: () => {
      const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)]
      check(memGetInfo(free, total))
      return Number(free[0])
    },
    copy: (target, source, length, count) => {
      check(memcpy2D(target.at, target.pitch, source.at, source.pitch, length, count, BY_ADDRESS))
      // A copy within the device returns before it is done, and ONNX Runtime's stream does not wait for it.
      check(synchronize())
    },
    zero: (at, byteLength) => {
      check(memset(at, 0, byteLength))
      check(synchronize())
    },
  }
}

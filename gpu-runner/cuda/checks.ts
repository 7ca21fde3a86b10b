/** Whether CUDA works here, looked at piece by piece: each check says in one line what there is, or what to do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { GraphBuilder } from '#models/graph/builder.ts'
import { ExternalData, encodeModel } from '#models/graph/encode.ts'
import { CUDA_LIBRARIES, CudaError, DRIVER, type NativeLibrary, openCudaLibrary } from '../runtime/cuda.ts'
import { OrtError } from '../runtime/ort-c-api.ts'
import { Runtime } from '../runtime/runtime.ts'
import { isInstalled } from './install.ts'

export interface CudaCheck {
  readonly ok: boolean
  /** A line for who runs this machine. */
  readonly text: string
}
type Look = () => string

/** CUDA 13's own: drivers from 580 on have it, and GPUs from the Turing generation on. */
const OLDEST_CUDA = 13_000
const OLDEST_CAPABILITY = 75
const NO_DEVICE = 100
const CAPABILITY = { major: 75, minor: 76 }
const NAME_BYTES = 256

/** The driver and the GPU: what no package brings. */
export function checkDriver(): CudaCheck[] {
  const driver = checked(lookAtDriver)
  return driver.ok ? [driver, checked(lookAtGpu)] : [driver]
}

/** The libraries in the folder or of the system. */
export function checkLibraries(folder: string): CudaCheck[] {
  return [() => lookAtRuntime(folder), () => lookAtCublas(folder), () => lookAtCudnn(folder)].map(checked)
}

/** A session that computes. */
export function checkSession(folder: string): CudaCheck {
  return checked(() => lookAtSession(folder))
}

/** The first check that fails, undefined if CUDA works. */
export function whyNotCuda(folder: string): string | undefined {
  if (!isInstalled(folder)) return 'the CUDA provider was not fetched: run `npm run cuda`'
  for (const check of [checkDriver, () => checkLibraries(folder), () => [checkSession(folder)]]) {
    const failed = check().find(({ ok }) => !ok)
    if (failed) return failed.text
  }
  return undefined
}

function checked(look: Look): CudaCheck {
  try {
    return { ok: true, text: look() }
  } catch (error) {
    if (error instanceof CudaError) return { ok: false, text: error.message }
    if (error instanceof OrtError) return { ok: false, text: `ONNX Runtime fails on CUDA: ${reasonOf(error)}` }
    throw error
  }
}

/** CUDA's own words, without the source file and the machine's name that come with them. */
const reasonOf = ({ message }: OrtError) => /CUDA failure \d+: [^;]+?(?= ?;)/.exec(message)?.[0] ?? message

const ask = new Int32Array(1)
/** The number that a function of the driver leaves; its arguments follow where it leaves it. */
function number(library: NativeLibrary, name: string, ...args: readonly number[]): number {
  const call = library.func(name, 'int', ['void *', ...args.map(() => 'int')])
  const code = call(ask, ...args)
  if (code !== 0) throw new CudaError(`the NVIDIA driver fails: ${name} returned ${code}`)
  return ask[0] ?? 0
}

/** 13020 is 13.2. */
const cudaVersion = (version: number) => `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`

function lookAtDriver(): string {
  const driver = openDriver()
  const version = number(driver, 'cuDriverGetVersion')
  if (version < OLDEST_CUDA) {
    throw new CudaError(
      `the NVIDIA driver is too old: it is for CUDA ${cudaVersion(version)}, and CUDA ${cudaVersion(OLDEST_CUDA)} is ` +
        'needed. Install driver 580 or later.',
    )
  }
  return `NVIDIA driver: for CUDA ${cudaVersion(version)}`
}

function openDriver(): NativeLibrary {
  try {
    return openCudaLibrary(DRIVER, undefined)
  } catch (cause) {
    throw new CudaError(
      `no NVIDIA driver: ${DRIVER} was not found. Install driver 580 or later; in a container, start it with its GPUs ` +
        '(`--gpus all`).',
      { cause },
    )
  }
}

function lookAtGpu(): string {
  const driver = openDriver()
  const code = driver.func('cuInit', 'int', ['uint32_t'])(0)
  if (code === NO_DEVICE) throw new CudaError('no GPU: the NVIDIA driver sees none')
  if (code !== 0) throw new CudaError(`the NVIDIA driver does not start: cuInit returned ${code}`)
  if (number(driver, 'cuDeviceGetCount') === 0) throw new CudaError('no GPU: the NVIDIA driver sees none')
  const device = number(driver, 'cuDeviceGet', 0)
  const chars = Buffer.alloc(NAME_BYTES)
  driver.func('cuDeviceGetName', 'int', ['void *', 'int', 'int'])(chars, chars.length, device)
  const name = chars.toString('utf8', 0, chars.indexOf(0))
  const major = number(driver, 'cuDeviceGetAttribute', CAPABILITY.major, device)
  const minor = number(driver, 'cuDeviceGetAttribute', CAPABILITY.minor, device)
  if (major * 10 + minor < OLDEST_CAPABILITY) {
    throw new CudaError(`the GPU is too old: ${name} has compute capability ${major}.${minor}, and 7.5 is needed`)
  }
  return `GPU: ${name}, compute capability ${major}.${minor}`
}

const FETCH = 'Run `npm run cuda` to fetch it.'

function open(name: string, folder: string): NativeLibrary {
  try {
    return openCudaLibrary(name, folder)
  } catch (cause) {
    throw new CudaError(`${cause instanceof Error ? cause.message : String(cause)}. ${FETCH}`, { cause })
  }
}

function lookAtRuntime(folder: string): string {
  const runtime = open(CUDA_LIBRARIES.runtime, folder)
  return `CUDA runtime: ${cudaVersion(number(runtime, 'cudaRuntimeGetVersion'))}`
}

function lookAtCublas(folder: string): string {
  open(CUDA_LIBRARIES.cublasLt, folder)
  const get = open(CUDA_LIBRARIES.cublas, folder).func('cublasGetProperty', 'int', ['int', 'void *'])
  const parts = [0, 1, 2].map((part) => {
    const code = get(part, ask)
    if (code !== 0) throw new CudaError(`cuBLAS fails: cublasGetProperty returned ${code}`)
    return ask[0]
  })
  return `cuBLAS: ${parts.join('.')}`
}

function lookAtCudnn(folder: string): string {
  const version = Number(open(CUDA_LIBRARIES.cudnn, folder).func('cudnnGetVersion', 'size_t', [])())
  return `cuDNN: ${Math.floor(version / 10_000)}.${Math.floor((version % 10_000) / 100)}.${version % 100}`
}

/** y = x · w of [1, 2] by [2, 2], the tensors in the GPU's memory; that nothing falls back to the CPU is asked for. */
function lookAtSession(folder: string): string {
  const work = mkdtempSync(path.join(tmpdir(), 'tandem-cuda-'))
  try {
    const g = new GraphBuilder('check')
    const x = g.input('x', 'float32', [1, 2])
    const w = g.input('w', 'float32', [2, 2])
    g.output(g.op('MatMul', [x, w], {})[0], 'y')
    const model = path.join(work, 'check.onnx')
    writeFileSync(model, encodeModel(g.build(), new ExternalData('none')))
    using ort = new Runtime({ threads: 1, cuda: folder })
    const config = { 'session.disable_cpu_ep_fallback': '1' }
    using session = ort.session(model, { device: 'cuda', config })
    const y = multiply(session)
    if (y.join() !== '7,10') throw new CudaError(`ONNX Runtime computes wrongly on CUDA: [${y.join()}], not [7,10]`)
    return `ONNX Runtime ${ort.version}: computes on CUDA`
  } finally {
    rmSync(work, { recursive: true })
  }
}

/** [1, 2] · [[1, 2], [3, 4]] */
function multiply(session: ReturnType<Runtime['session']>): number[] {
  const rows = (start: number, length: number) => ({ start, length, pitch: length, count: 1 })
  using memory = session.memory(64)
  memory.write(rows(0, 8), new Uint8Array(Float32Array.of(1, 2).buffer), 8)
  memory.write(rows(16, 16), new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer), 16)
  using x = memory.tensor('float32', [1, 2], 0)
  using w = memory.tensor('float32', [2, 2], 16)
  using y = memory.tensor('float32', [1, 2], 32)
  using binding = session.bind({ x, w }, { y })
  binding.run()
  const result = new Float32Array(2)
  memory.read(rows(32, 8), new Uint8Array(result.buffer))
  return [...result]
}

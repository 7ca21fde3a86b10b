/**
 * Fetches the CUDA provider and what it needs into a folder of the model cache. Each library appears there by one rename,
 * when it is whole, and ONNX Runtime's own as the last: what was interrupted goes on where it was.
 */
import { constants, existsSync } from 'node:fs'
import { copyFile, mkdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CudaError, ONNX_RUNTIME, openCudaLibrary } from '../runtime/cuda.ts'
import { libraryPath } from '../runtime/ort-c-api.ts'
import { withLock } from '../store/lock.ts'
import { downloadWheel } from '../store/pip.ts'
import { type PullProgress, progressMeter } from '../store/progress.ts'
import { StoreError } from '../store/store-error.ts'
import { extractMember } from '../store/wheel.ts'
import { CUDA_PACKAGES, type CudaPackage, ONNX_RUNTIME_VERSION } from './packages.ts'

export interface CudaInstall {
  /** The model cache. */
  readonly root: string
  readonly signal: AbortSignal
  readonly onProgress: (progress: PullProgress) => void
  readonly packages?: readonly CudaPackage[]
  readonly systemHas?: (library: string) => boolean
  /** Ways to call pip. */
  readonly pips?: readonly (readonly string[])[]
}

/** Wheels that run here, whatever Python the machine has: nothing of theirs is run by it. */
const WHEELS = [
  ...['--python-version', '3.12', '--implementation', 'cp'],
  ...['manylinux_2_28_x86_64', 'manylinux_2_27_x86_64', 'manylinux2014_x86_64'].flatMap((tag) => ['--platform', tag]),
]

/** Where a cache has the provider, if it was fetched. */
export const cudaFolder = (root: string): string => path.join(root, `cuda-onnxruntime-${ONNX_RUNTIME_VERSION}`)
export const isInstalled = (folder: string): boolean => existsSync(path.join(folder, ONNX_RUNTIME))

/** Why there is no CUDA for this system; undefined if there is. */
export function unsupportedSystem({
  platform,
  arch,
}: {
  platform: string
  arch: string
} = process): string | undefined {
  if (platform === 'linux' && arch === 'x64') return undefined
  return `CUDA is for Linux on x64 with an NVIDIA GPU; this is ${platform} on ${arch}. Tandem runs on the CPU here.`
}

/**
 * The folder, with all in it that the system lacks.
 * @throws StoreError naming the package and why it could not be fetched
 */
export async function installCuda(install: CudaInstall): Promise<string> {
  const { root, signal, packages = CUDA_PACKAGES, systemHas = loads } = install
  const folder = cudaFolder(root)
  await mkdir(folder, { recursive: true })
  return await withLock(path.join(folder, '.lock'), signal, async () => {
    const needed = packages.filter(({ unless }) => unless === undefined || !systemHas(unless))
    const whole = await Promise.all(needed.map((item) => isThere(item, folder)))
    const missing = needed.filter((_, i) => !whole[i])
    await requireSpace(missing, folder)
    for (const item of missing) await fetchPackage(item, folder, install)
    if (!isInstalled(folder)) await publish(libraryPath(), path.join(folder, ONNX_RUNTIME))
    return folder
  })
}

function loads(library: string): boolean {
  try {
    openCudaLibrary(library, undefined)
    return true
  } catch (error) {
    if (error instanceof CudaError) return false
    throw error
  }
}

async function isThere({ libraries }: CudaPackage, folder: string): Promise<boolean> {
  const sizes = Object.keys(libraries).map((name) => stat(path.join(folder, name)).catch(() => undefined))
  const found = await Promise.all(sizes)
  return Object.values(libraries).every((bytes, i) => found[i]?.size === bytes)
}

async function requireSpace(missing: readonly CudaPackage[], folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const unpacked = missing.flatMap(({ libraries }) => Object.values(libraries)).reduce((a, b) => a + b, 0)
  const needed = unpacked + Math.max(0, ...missing.map(({ wheelBytes }) => wheelBytes))
  if (needed <= bavail * bsize) return
  const [wanted, free] = [needed, bavail * bsize].map((bytes) => `${Math.ceil(bytes / 1e6)} MB`)
  throw new StoreError(
    'no_space',
    `CUDA's libraries need ${wanted} of disk space in ${folder}, where ${free} are free. ` +
      'Free some, or set TANDEM_MODELS to a folder on another disk.',
  )
}

async function fetchPackage(item: CudaPackage, folder: string, install: CudaInstall): Promise<void> {
  const { name, version, sha256, wheelBytes: size, from, libraries } = item
  const { signal, onProgress, pips } = install
  const work = path.join(folder, `.${name}`)
  await rm(work, { recursive: true, force: true })
  await mkdir(work)
  try {
    const requirements = path.join(work, 'requirements.txt')
    await writeFile(requirements, `${name}==${version} --hash=sha256:${sha256}\n`)
    const wanted = [...WHEELS, '--require-hashes', '--requirement', requirements]
    const onBytes = progressMeter(name, `the Python package ${name} ${version}`, size, onProgress)
    const wheel = await downloadWheel({ wanted, folder: work, size, onBytes, signal, ...(pips && { pips }) })
    onBytes(size)
    for (const [library, bytes] of Object.entries(libraries)) {
      const part = path.join(work, library)
      await extractMember(wheel, `${from}/${library}`, part, bytes, signal)
      await rename(part, path.join(folder, library))
    }
  } catch (cause) {
    signal.throwIfAborted()
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new StoreError('no_source', `The Python package ${name} ${version} could not be fetched: ${reason}`, {
      cause,
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function publish(source: string, target: string): Promise<void> {
  const part = `${target}.part`
  await copyFile(source, part, constants.COPYFILE_FICLONE)
  await rename(part, target)
}

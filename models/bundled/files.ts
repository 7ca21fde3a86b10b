/** The files of the models that ship with Tandem. */
import { createHash } from 'node:crypto'
import { copyFile, glob, mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'

/** Their paths, by the SHA-256 of their bytes: so their manifests name them. */
export async function bundledFiles(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  for await (const name of glob('*/*.onnx', { cwd: import.meta.dirname })) {
    const file = path.join(import.meta.dirname, name)
    files.set(createHash('sha256').update(await readFile(file)).digest('hex'), file)
  }
  return files
}

/** Copies them into a folder, which is made, as `<sha256>.onnx`. */
export async function copyBundledModels(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [sha256, file] of await bundledFiles()) await copyFile(file, path.join(folder, `${sha256}.onnx`))
}

/** The files of the models that ship with Tandem. */
import { createHash } from 'node:crypto'
import { copyFile, glob, mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'

/** Copies them into a folder, which is made, as `<sha256>.onnx`: so their manifests name them. */
export async function copyBundledModels(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for await (const name of glob('*/*.onnx', { cwd: import.meta.dirname })) {
    const file = path.join(import.meta.dirname, name)
    const sha256 = createHash('sha256').update(await readFile(file)).digest('hex')
    await copyFile(file, path.join(folder, `${sha256}.onnx`))
  }
}

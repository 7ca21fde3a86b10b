/** The models that ship with Tandem and translate: each has a folder, with its manifest and the files that this names. */
import { glob, readFile } from 'node:fs/promises'
import path from 'node:path'

export interface BundledTranslation {
  readonly folder: string
  /** As it stands in its file; who uses it parses it. */
  readonly manifest: unknown
}

/** By the names of their folders. */
export async function bundledTranslations(): Promise<readonly BundledTranslation[]> {
  const root = path.join(import.meta.dirname, 'translation')
  const names = (await Array.fromAsync(glob('*/manifest.json', { cwd: root }))).sort()
  return Promise.all(
    names.map(async (name) => {
      const file = path.join(root, name)
      return { folder: path.dirname(file), manifest: JSON.parse(await readFile(file, 'utf8')) as unknown }
    }),
  )
}

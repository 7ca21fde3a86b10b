/** Models that translate: each has a folder, with its manifest and the files that this names. */
import { glob, readFile } from 'node:fs/promises'
import path from 'node:path'

export interface TranslationFolder {
  readonly folder: string
  /** As it stands in its file; who uses it parses it. */
  readonly manifest: unknown
}

/** Those that ship with Tandem. */
export const bundledTranslations = (): Promise<readonly TranslationFolder[]> =>
  translationsIn(path.join(import.meta.dirname, 'translation'))

/** Those in a folder, by the names of theirs; none if there is no such folder. */
export async function translationsIn(root: string): Promise<readonly TranslationFolder[]> {
  const names = (await Array.fromAsync(glob('*/manifest.json', { cwd: root }))).sort()
  return Promise.all(
    names.map(async (name) => {
      const file = path.join(root, name)
      return { folder: path.dirname(file), manifest: JSON.parse(await readFile(file, 'utf8')) as unknown }
    }),
  )
}

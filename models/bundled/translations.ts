/** Models that translate: each has a folder, with its manifest and the files that this names. */
import { createHash } from 'node:crypto'
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

/** The paths of the files of those that ship, by the SHA-256 of their bytes. */
export async function bundledTranslationFiles(): Promise<ReadonlyMap<string, string>> {
  const root = path.join(import.meta.dirname, 'translation')
  const names = await Array.fromAsync(glob('*/{vocabulary.json,encoder.onnx,decoder.onnx}', { cwd: root }))
  const hashed = names.map(async (name) => {
    const file = path.join(root, name)
    return [createHash('sha256').update(await readFile(file)).digest('hex'), file] as const
  })
  return new Map(await Promise.all(hashed))
}

/** The models that are in the cache: those of the catalogue, and those that were pulled by name. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import * as v from 'valibot'
import { catalogue } from '#models/catalogue/catalogue.ts'
import { type CatalogueEntry, catalogueEntrySchema } from '#models/catalogue/schema.ts'
import { modelPath } from './store.ts'

/** Beside the file of a model that the catalogue does not have. */
const ENTRY = 'entry.json'

/** In the catalogue's order, then by name. An entry that cannot be read is told of by `warn` and left out. */
export function installedModels(root: string, warn: (message: string) => void = console.error): CatalogueEntry[] {
  const known = catalogue()
  const names = existsSync(root) ? readdirSync(root).sort() : []
  const pulled = names.flatMap((name): CatalogueEntry[] => {
    const file = path.join(root, name, ENTRY)
    if (known.some(({ id }) => id === name) || !existsSync(file)) return []
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), catalogueEntrySchema), readFileSync(file, 'utf8'))
    if (parsed.success && parsed.output.id === name) return [parsed.output]
    warn(`${file} does not describe the model ${name}; it is left out.`)
    return []
  })
  return [...known, ...pulled].filter((entry) => existsSync(modelPath(entry, root)))
}

/** Makes a model one of those that are installed. */
export async function rememberModel(root: string, entry: CatalogueEntry): Promise<void> {
  const file = path.join(root, entry.id, ENTRY)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(`${file}.part`, `${JSON.stringify(entry, null, 2)}\n`)
  await rename(`${file}.part`, file)
}

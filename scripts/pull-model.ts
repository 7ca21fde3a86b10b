/**
 * `npm run pull -- MODEL`: puts a model into the cache, from where the runner loads it when it is asked for. MODEL is
 *
 *   owner/repository/file.gguf   a file on the Hugging Face hub, with @revision if not the newest
 *   path/to/file.gguf            a file on this machine
 *   an id of the catalogue
 */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, rmSync, statSync } from 'node:fs'
import { copyFile, mkdir, rename } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { chatContext } from '#gpu-runner/store/chat-checkpoint.ts'
import { describeHubFile, idOf, isHubReference } from '#gpu-runner/store/hub.ts'
import { installedModels, rememberModel } from '#gpu-runner/store/installed.ts'
import { modelPath } from '#gpu-runner/store/store.ts'
import { StoreError } from '#gpu-runner/store/store-error.ts'
import { catalogue } from '#models/catalogue/catalogue.ts'
import type { CatalogueEntry } from '#models/catalogue/schema.ts'
import { pullModel } from './pull.ts'
import { Reporter } from './reporter.ts'
import { readSettings } from './settings.ts'
import { StartError } from './start-error.ts'
import { stopOnRequest } from './stop.ts'

const USAGE = 'Usage: npm run pull -- <owner/repository/file.gguf | path/to/file.gguf | catalogue id>'

async function main([reference]: readonly string[]): Promise<void> {
  if (reference === undefined) throw new StartError(USAGE)
  const root = readSettings(process.env).models
  const reporter = new Reporter(process.stdout)
  const stop = new AbortController()
  stopOnRequest({ onStop: () => stop.abort(), onForce: () => process.exit(130) })

  const known = catalogue().find(({ id }) => id === reference)
  const local = !known && existsSync(reference)
  if (!known && !local && !isHubReference(reference)) throw new StartError(`There is no ${reference}. ${USAGE}`)
  const entry = known ?? (local ? await describeLocalFile(reference) : await describeHubFile(reference))
  if (local) await copyIn(reference, modelPath(entry, root))
  else await pullModel(entry, root, reporter, stop.signal)
  if (!known) await rememberModel(root, { ...entry, context: contextOf(modelPath(entry, root), entry) })
  reporter.line(`${entry.id} is ready to be asked: "model": "${entry.id}"`)
  reporter.line(
    `Installed: ${installedModels(root)
      .map(({ id }) => id)
      .join(', ')}`,
  )
}

async function describeLocalFile(file: string): Promise<CatalogueEntry> {
  const { size, mtimeMs } = statSync(file)
  const sha256 = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), sha256)
  return {
    id: idOf(file),
    task: 'chat',
    description: `The file ${path.basename(file)}`,
    publisher: 'local',
    created: Math.floor(mtimeMs / 1000),
    licence: { spdx: 'LicenseRef-unknown', statedAt: 'the file’s own publisher' },
    context: 1,
    file: { name: `${idOf(file)}.gguf`, size, sha256: sha256.digest('hex') },
    sources: [{ kind: 'url', url: new URL(`file://${path.resolve(file)}`).href }],
  }
}

async function copyIn(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true })
  await copyFile(from, `${to}.part`)
  await rename(`${to}.part`, to)
}

/** The tokens of its context, once all that a chat needs of it has been read; one that cannot chat is removed. */
function contextOf(file: string, { id }: CatalogueEntry): number {
  try {
    return chatContext(file)
  } catch (cause) {
    rmSync(path.dirname(file), { recursive: true, force: true })
    throw new StartError(`${id} cannot be served: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof StartError || error instanceof StoreError ? error.message : error)
  process.exit(1)
})

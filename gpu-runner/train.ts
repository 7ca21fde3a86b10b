/**
 * `npm run train -- <recipe>`: makes a bundled model from its recipe, models/bundled/<id>/recipe.json, with the code that
 * jobs are trained by. Ctrl-C keeps a checkpoint, and the next call goes on from it.
 */
import { glob, mkdir, readFile, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import * as v from 'valibot'
import { Runtime } from './runtime/runtime.ts'
import { CATALOGUE, type CatalogueData } from './trainer/data/catalogue/catalogue.ts'
import { makeModel } from './trainer/make-model.ts'
import { recipeSchema } from './trainer/recipe.ts'
import type { Samples } from './trainer/task.ts'
import type { TrainingEvent } from './trainer/trainer.ts'
import { tell, writeModel } from './training-console.ts'

const ROOT = path.dirname(import.meta.dirname)
const BUNDLED = path.join(ROOT, 'models', 'bundled')
/** Where downloads are kept. */
const models = process.env.TANDEM_MODELS ?? path.join(process.env.TANDEM_HOME ?? path.join(ROOT, '.tandem'), 'models')
const bundledSchema = v.strictObject({ description: v.pipe(v.string(), v.minLength(1)), recipe: recipeSchema })

const [id] = process.argv.slice(2)
const folders = new Map<string, string>()
for await (const name of glob('**/recipe.json', { cwd: BUNDLED })) {
  const folder = path.dirname(name)
  folders.set(path.basename(folder), path.join(BUNDLED, folder))
}
const folder = folders.get(id ?? '')
if (id === undefined || folder === undefined) {
  console.error(`npm run train -- <recipe>, with one of: ${[...folders.keys()].sort().join(', ')}`)
  process.exit(2)
}
const { description, recipe } = v.parse(
  bundledSchema,
  JSON.parse(await readFile(path.join(folder, 'recipe.json'), 'utf8')),
)
const stopping = new AbortController()
if (!recipe.data) {
  console.error(`${id}'s recipe names no data.`)
  process.exit(2)
}
process.once('SIGINT', () => stopping.abort())

const checkpoint = path.join(models, 'data', `${id}.checkpoint`)
await mkdir(path.dirname(checkpoint), { recursive: true })
using ort = new Runtime({ threads: availableParallelism() })
const data: CatalogueData = CATALOGUE[recipe.data]
const training = await data.train(models)
const [validation, test] = await Promise.all([data.validation?.(models), data.test(models)])
const source = { description: data.description, licence: data.licence }
const made = await makeModel(
  ort,
  { recipe, training, validation, test, source },
  { id, owner: null, description, checkpoint, signal: stopping.signal, onEvent },
)
if (!made) {
  console.log('Stopped. The same command goes on from here.')
  process.exit(130)
}
await writeModel(folder, made)
await rm(checkpoint, { force: true })

function onEvent(event: TrainingEvent): void {
  if (event.type === 'samples') show(event.samples)
  else tell(event)
}

/** The last sample sheet stands beside the checkpoint. */
function show({ width, height, channels, pixels }: Samples): void {
  const file = path.join(models, 'data', `${id}.png`)
  sharp(pixels, { raw: { width, height, channels: channels as 1 | 3 | 4 } })
    .png()
    .toFile(file)
    .catch((error: unknown) => console.error(`${file} could not be written: ${String(error)}`))
}

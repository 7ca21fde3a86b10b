/**
 * `npm run train:translation -- <pairs> <source> <target>`: makes a model that translates of somebody's own pairs (TMX,
 * JSONL or a table with tabs), with the code that the bundled ones are made by. A runner that is started after it serves
 * it, before a bundled one of the same languages. Ctrl-C keeps a checkpoint, and the next call goes on from it.
 */
import { mkdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import * as v from 'valibot'
import { Runtime } from './runtime/runtime.ts'
import { DataSetError } from './trainer/data/data-set-error.ts'
import { readPairs } from './trainer/data/pairs.ts'
import { makeModel } from './trainer/make-model.ts'
import { recipeSchema } from './trainer/recipe.ts'
import { tell, writeModel } from './training-console.ts'

const [file, source, target] = process.argv.slice(2)
const isLanguage = (name: string | undefined): name is string => /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(name ?? '')
if (file === undefined || !isLanguage(source) || !isLanguage(target) || source === target) {
  console.error('npm run train:translation -- <file of pairs> <source language> <target language>, as in: tm.tmx en fr')
  process.exit(2)
}
const home = process.env.TANDEM_HOME ?? path.join(path.dirname(import.meta.dirname), '.tandem')
const models = process.env.TANDEM_MODELS ?? path.join(home, 'models')

/** Characters of a step's translations, about: a token is four. */
const STEP_CHARACTERS = 4096
/** Steps that a model needs, and the passes over the data that they may be. */
const STEPS = 4000
const PASSES = [3, 50] as const

const pairs = await readPairs(file, { source, target }).catch((error: unknown) => {
  if (!(error instanceof DataSetError)) throw error
  console.error(error.message)
  process.exit(1)
})
const characters = pairs.target.reduce((sum, text) => sum + text.length, 0)
const epochs = Math.min(PASSES[1], Math.max(PASSES[0], Math.ceil((STEPS * STEP_CHARACTERS) / characters)))
const recipe = v.parse(recipeSchema, {
  ...{ method: 'translation', vocabulary: 8000, width: 256, heads: 4, hidden: 1024 },
  ...{ encoderLayers: 4, decoderLayers: 4, length: 128, batch: 8, epochs, rate: 1e-3, warmup: 300 },
  ...{ smoothing: 0.1, dropout: 0.1, placeholders: 0.2, validation: 0.05, patience: 5, seed: 1 },
})
const id = `own-${source}-${target}`.toLowerCase()
const checkpoint = path.join(models, 'data', `${id}.checkpoint`)
await mkdir(path.dirname(checkpoint), { recursive: true })
const stopping = new AbortController()
process.once('SIGINT', () => stopping.abort())
using ort = new Runtime({ threads: availableParallelism() })
const made = await makeModel(
  ort,
  { recipe, training: pairs, source: { description: path.basename(file), licence: 'Its owner’s' } },
  {
    ...{ id, owner: null, checkpoint, signal: stopping.signal, onEvent: tell },
    description: `${source} into ${target}, trained on ${pairs.count} pairs`,
  },
)
if (!made) {
  console.log('Stopped. The same command goes on from here.')
  process.exit(130)
}
await writeModel(path.join(models, 'translation', id), made)
await rm(checkpoint, { force: true })

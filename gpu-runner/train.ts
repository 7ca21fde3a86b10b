/**
 * `npm run train -- <recipe>`: makes a bundled model from its recipe, models/bundled/<id>/recipe.json, with the code that
 * jobs are trained by. Ctrl-C keeps a checkpoint, and the next call goes on from it.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import * as v from 'valibot'
import { Runtime } from './runtime/runtime.ts'
import { makeModel } from './trainer/make-model.ts'
import { recipeSchema } from './trainer/recipe.ts'
import type { TrainingEvent } from './trainer/trainer.ts'

const ROOT = path.dirname(import.meta.dirname)
const BUNDLED = path.join(ROOT, 'models', 'bundled')
/** Where downloads are kept. */
const models = process.env.TANDEM_MODELS ?? path.join(process.env.TANDEM_HOME ?? path.join(ROOT, '.tandem'), 'models')
const bundledSchema = v.strictObject({ description: v.pipe(v.string(), v.minLength(1)), recipe: recipeSchema })

const [id] = process.argv.slice(2)
const ids = await readdir(BUNDLED)
if (id === undefined || !ids.includes(id)) {
  console.error(`npm run train -- <recipe>, with one of: ${ids.join(', ')}`)
  process.exit(2)
}
const folder = path.join(BUNDLED, id)
const { description, recipe } = v.parse(
  bundledSchema,
  JSON.parse(await readFile(path.join(folder, 'recipe.json'), 'utf8')),
)
const stopping = new AbortController()
process.once('SIGINT', () => stopping.abort())

const checkpoint = path.join(models, 'data', `${id}.checkpoint`)
await mkdir(path.dirname(checkpoint), { recursive: true })
using ort = new Runtime({ threads: availableParallelism() })
const made = await makeModel(ort, recipe, {
  id,
  description,
  root: models,
  checkpoint,
  signal: stopping.signal,
  onEvent: tell,
})
if (!made) {
  console.log('Stopped. The same command goes on from here.')
  process.exit(130)
}
for (const name of await readdir(folder)) if (name.endsWith('.onnx')) await rm(path.join(folder, name))
for (const [i, part] of ['encoder', 'decoder', 'prior', 'scorer', 'denoiser', 'generator']
  .filter((name) => name in made.manifest.parts)
  .entries()) {
  await writeFile(path.join(folder, `${part}.onnx`), made.files[i] ?? new Uint8Array())
}
await writeFile(path.join(folder, 'manifest.json'), `${JSON.stringify(made.manifest, null, 2)}\n`)
await rm(checkpoint, { force: true })
const bytes = made.files.reduce((sum, file) => sum + file.byteLength, 0)
console.log(`${id}: ${(bytes / 1e6).toFixed(2)} MB. ${numbers(made.manifest.card.metrics)}`)

function tell(event: TrainingEvent): void {
  if (event.type === 'progress') {
    const { step, steps, epoch, losses, secondsLeft, stepsPerSecond } = event
    const left = `${Math.ceil(secondsLeft)} s left`
    console.log(
      `step ${step} of ${steps}, epoch ${epoch}, ${stepsPerSecond.toFixed(1)} steps/s, ${left}. ${numbers(losses)}`,
    )
  } else if (event.type === 'validation')
    console.log(`validation after epoch ${event.epoch}: ${numbers(event.metrics)}`)
}

function numbers(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${value.toPrecision(5)}`)
    .join(', ')
}

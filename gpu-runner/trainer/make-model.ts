/** From a recipe to a model that can be published: data, training, the test that no training saw. */
import type { PublishedModel } from '#protocol/published-model.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { CATALOGUE } from './data/catalogue/catalogue.ts'
import type { DataSet, ImageSet, RowSet } from './data/data-set.ts'
import { split } from './data/split.ts'
import { averagePrecision, rocAuc } from './evaluation/ranking.ts'
import type { Recipe } from './recipe.ts'
import type { Metrics, Task, TrainedModel } from './task.ts'
import { denoiserTask } from './tasks/denoiser-task.ts'
import { rowsTask } from './tasks/rows-task.ts'
import { vaeTask } from './tasks/vae-task.ts'
import { type TrainingOptions, train } from './trainer.ts'

export interface MadeModel {
  readonly manifest: PublishedModel
  readonly files: readonly Uint8Array[]
}

export interface MakeOptions extends Pick<TrainingOptions, 'onEvent' | 'signal' | 'checkpoint'> {
  readonly id: string
  readonly description: string
  /** Folder of the data cache. */
  readonly root: string
}

/** @returns undefined if the signal ended the training before it was done */
export async function makeModel(ort: Runtime, recipe: Recipe, options: MakeOptions): Promise<MadeModel | undefined> {
  const data = CATALOGUE[recipe.data]
  const [training, test] = await Promise.all([data.train(options.root), data.test(options.root)])
  using task = taskOf(ort, recipe, training)
  const { onEvent, signal, checkpoint } = options
  const { session, end } = await train(ort, task, {
    seed: recipe.seed,
    recipe: JSON.stringify(recipe),
    checkpoint,
    signal,
    ...(onEvent && { onEvent }),
  })
  using trained = session
  if (end === 'stopped') return undefined
  const model = task.publish(trained, ort)
  using tested = tests(recipe) ? taskOf(ort, recipe, test, { evaluation: true }) : undefined
  const metrics = {
    ...named(model.metrics, 'validation'),
    ...(tested ? named(tested.validate(trained), 'test') : {}),
    ...named(rankingOf(ort, model, test), 'test'),
  }
  const { method, ...rest } = recipe
  return {
    files: model.files,
    manifest: {
      id: options.id,
      created: Math.floor(Date.now() / 1000),
      owner: null,
      parts: model.parts,
      card: {
        description: options.description,
        data: data.description,
        licence: data.licence,
        metrics,
        recipe: { method, ...flat(rest) },
      },
    },
  }
}

function taskOf(ort: Runtime, recipe: Recipe, data: DataSet, { evaluation = false } = {}): Task {
  // For a test all of it is measured, and what is trained on does not matter.
  const parts = evaluation
    ? { training: all(data.count), validation: all(data.count) }
    : split(data.count, recipe.validation, recipe.seed)
  if (recipe.method === 'vae') {
    const images = imagesOf(data)
    const { channels } = images
    const { side, latents, hidden } = recipe
    return vaeTask(ort, images, parts, { ...recipe, config: { channels, height: side, width: side, latents, hidden } })
  }
  if (recipe.method === 'denoiser') {
    const images = imagesOf(data)
    const { side, hidden } = recipe
    const config = { channels: images.channels, height: side, width: side, hidden }
    return denoiserTask(ort, images, parts, { ...recipe, config })
  }
  return rowsTask(ort, rowsOf(data), parts, recipe)
}

const all = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i)
/** Rows are standardised by what the model was trained on, so that the test's own task would measure something else. */
const tests = ({ method }: Recipe): boolean => method !== 'autoencoder'

function imagesOf(data: DataSet): ImageSet {
  if (data.kind !== 'images') throw new TypeError('this method is for images')
  return data
}
function rowsOf(data: DataSet): RowSet {
  if (data.kind !== 'rows') throw new TypeError('this method is for rows of numbers')
  return data
}

/** How the published scorer tells the anomalies of a labelled test from the rest. */
function rankingOf(ort: Runtime, { parts, files }: TrainedModel, test: DataSet): Metrics {
  const labels = test.kind === 'rows' ? test.labels : undefined
  if (parts.family !== 'autoencoder' || test.kind !== 'rows' || !labels) return {}
  const scorer = files[2]
  if (!scorer) return {}
  using session = ort.session(scorer)
  using rows = ort.tensor('float32', [test.count, test.columns.length])
  using scores = ort.tensor('float32', [test.count])
  using errors = ort.tensor('float32', [test.count, test.columns.length])
  rows.data.set(test.values)
  using binding = session.bind({ rows }, { scores, errors })
  binding.run()
  const flagged = scores.data.map((score) => Number(score > parts.threshold))
  const caught = flagged.filter((flag, i) => flag && labels[i]).length
  const positives = labels.reduce((a, b) => a + b, 0)
  return {
    roc_auc: rocAuc(scores.data, labels),
    average_precision: averagePrecision(scores.data, labels),
    recall: caught / positives,
    false_alarms: (flagged.reduce((a, b) => a + b, 0) - caught) / (test.count - positives),
  }
}

const named = (metrics: Metrics, part: string): Metrics =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${part}.${name}`, value]))

/** A recipe's values as a card has them. */
const flat = (values: Readonly<Record<string, unknown>>): Record<string, string | number> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof value === 'number' ? value : String(value)]),
  )

/** From a recipe and data to a model that can be published: training, and the test that no training saw. */
import type { PublishedModel, PublishedTranslation } from '#protocol/published-model.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { DataSet } from './data/data-set.ts'
import { split, together } from './data/split.ts'
import { averagePrecision, rocAuc } from './evaluation/ranking.ts'
import { scoresOf } from './evaluation/scoring.ts'
import { makeTask } from './make-task.ts'
import type { Recipe } from './recipe.ts'
import type { Metrics, TrainedModel } from './task.ts'
import { translationScores } from './tasks/published-translation.ts'
import type { TranslationBase } from './tasks/translation-base.ts'
import { pairsOf } from './tasks/translation-task.ts'
import { type TrainingOptions, train } from './trainer.ts'

export interface ModelSource {
  readonly recipe: Recipe
  readonly training: DataSet
  /** By default, the recipe's share of the training data. */
  readonly validation?: DataSet | undefined
  /** What the finished model is measured by. */
  readonly test?: DataSet | undefined
  /** What it goes on from, where the recipe names one. */
  readonly base?: TranslationBase | undefined
  /** Of the data, as the model's card has it. */
  readonly source: { readonly description: string; readonly licence: string }
}

export interface MadeModel {
  readonly manifest: PublishedModel | PublishedTranslation
  /** Those that the manifest names. */
  readonly files: readonly Uint8Array[]
  /** What its owner ought to know before they rely on it; the card has it, too. */
  readonly warnings: readonly string[]
}

export interface MakeOptions extends Pick<TrainingOptions, 'onEvent' | 'signal' | 'checkpoint'> {
  readonly id: string
  /** Who may use the model; null: everyone. */
  readonly owner: string | null
  readonly description: string
}

/**
 * @returns undefined if the signal ended the training before it was done; the checkpoint then has what it was at
 * @throws DataSetError if the data does not fit the recipe, DivergenceError if nothing comes of the training
 */
export async function makeModel(
  ort: Runtime,
  { recipe, training, validation, test, base, source }: ModelSource,
  { id, owner, description, checkpoint, signal, onEvent }: MakeOptions,
): Promise<MadeModel | undefined> {
  const { data, parts } = validation
    ? together(training, validation)
    : { data: training, parts: split(training.count, recipe.validation, recipe.seed) }
  using task = makeTask(ort, recipe, data, parts, base)
  const { session, end } = await train(ort, task, {
    seed: recipe.seed,
    recipe: JSON.stringify(recipe),
    checkpoint,
    signal,
    patience: recipe.patience,
    ...(onEvent && { onEvent }),
  })
  using trained = session
  if (end === 'stopped') return undefined
  const model = task.publish(trained, ort)
  using tested = test && measuresByTask(recipe) ? testTask(ort, recipe, test) : undefined
  const metrics = {
    ...named(model.metrics, 'validation'),
    ...(tested ? named(tested.validate(trained), 'test') : {}),
    ...(test ? named(rankingOf(ort, model, test), 'test') : {}),
    ...(test ? named(translationOf(ort, model, test), 'test') : {}),
  }
  const { warnings = [] } = model
  return {
    files: model.files,
    warnings,
    manifest: manifestOf(model.parts, {
      id,
      created: Math.floor(Date.now() / 1000),
      owner,
      card: {
        description: [description, ...warnings].join('. '),
        data: source.description,
        licence: source.licence,
        metrics,
        recipe: flat(recipe),
      },
    }),
  }
}

const manifestOf = (parts: TrainedModel['parts'], told: Omit<PublishedModel, 'parts'>): MadeModel['manifest'] =>
  parts.family === 'translation' ? { ...told, parts } : { ...told, parts }

/** A task that validates on all of a test. */
function testTask(ort: Runtime, recipe: Recipe, test: DataSet) {
  const all = everything(test)
  const batch = Math.min(recipe.batch, test.count)
  return makeTask(ort, { ...recipe, batch }, test, { training: all, validation: all })
}

/**
 * Rows are standardised, a generator's statistics measured, and a vocabulary learned, by what the model was trained on: a
 * test has other data.
 */
const measuresByTask = ({ method }: Recipe): boolean => !['autoencoder', 'gan', 'translation'].includes(method)

/** How the published model translates a test, by a beam and greedily. */
function translationOf(ort: Runtime, model: TrainedModel, test: DataSet): Metrics {
  if (model.parts.family !== 'translation' || test.kind !== 'pairs') return {}
  const translated = { parts: model.parts, files: model.files }
  const pairs = pairsOf(test, everything(test))
  const greedy = translationScores(ort, translated, pairs, { beam: 1 })
  return {
    ...translationScores(ort, translated, pairs, { beam: 4 }),
    bleu_greedy: greedy.bleu ?? Number.NaN,
    chrf_greedy: greedy.chrf ?? Number.NaN,
  }
}

/** How the published scorer tells the anomalies of a labelled test from the rest. */
function rankingOf(ort: Runtime, { parts, files }: TrainedModel, test: DataSet): Metrics {
  const [, , scorer] = files
  if (parts.family !== 'autoencoder' || test.kind !== 'rows' || !test.labels || !scorer) return {}
  const { labels } = test
  const scores = scoresOf(ort, scorer, test, everything(test))
  const flagged = scores.map((score) => Number(score > parts.threshold))
  const caught = flagged.filter((flag, i) => flag && labels[i]).length
  const positives = labels.reduce((a, b) => a + b, 0)
  return {
    roc_auc: rocAuc(scores, labels),
    average_precision: averagePrecision(scores, labels),
    recall: caught / positives,
    false_alarms: (flagged.reduce((a, b) => a + b, 0) - caught) / (test.count - positives),
  }
}

const everything = ({ count }: DataSet): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i)

const named = (metrics: Metrics, part: string): Metrics =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${part}.${name}`, value]))

/** A recipe's values as a card has them. */
const flat = (recipe: Recipe): PublishedModel['card']['recipe'] =>
  Object.fromEntries(
    Object.entries(recipe).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )

/** A job that trains a model that translates, or tunes one, as a recipe. */
import type { TrainingMethod } from '#protocol/training.ts'
import type { PairSet } from './data/data-set.ts'
import { DataSetError } from './data/data-set-error.ts'
import { readPairs } from './data/pairs.ts'
import { type DataFiles, type Prepared, value } from './prepared.ts'
import type { Recipe } from './recipe.ts'
import type { TranslationBase } from './tasks/translation-base.ts'

type Options = Extract<TrainingMethod, { type: 'translation' }>['translation']

const FEWEST_PAIRS = 10
/** Tokens of a line of translations, of a new model, and lines of a batch. */
const LENGTH = 128
const BATCH = 8
/** UTF-16 code units of a token, about. */
const UNITS_PER_TOKEN = 4
/** Pairs that are translated when all is done, at most: what is measured by more is known no better. */
const MOST_MEASURED = 500
/** Pairs of what a model that is tuned knew, for each that it learns. */
const REHEARSAL = 0.5
/**
 * Of a new model and of one that is tuned: steps, and the passes over the data that they may be; the rate, and the steps of
 * a line up to it, of all; validations without a better one after which it is enough. A tuned one learns slowly, so that it
 * keeps what it knows.
 */
const NEW = { steps: 4_000, passes: [3, 50], rate: 1e-3, warmup: 300, patience: 5 } as const
const TUNED = { steps: 600, passes: [3, 20], rate: 3e-4, warmup: 50, patience: 3 } as const

/** @throws DataSetError with a sentence for the owner */
export async function translation(
  { source_language: source, target_language: target, hyperparameters: options }: Options,
  seed: number,
  files: DataFiles,
  base: TranslationBase | undefined,
): Promise<Prepared> {
  if (source === undefined || target === undefined)
    throw new TypeError('the languages of a job are known when it begins')
  const languages = { source, target }
  const training = await read(files.training, languages, FEWEST_PAIRS)
  const validation = files.validation === undefined ? undefined : await read(files.validation, languages, 1)
  const share = Math.min(training.count < 2_000 ? 0.1 : 0.05, MOST_MEASURED / training.count)
  const usual = base ? TUNED : NEW
  const length = base?.parts.targetLength ?? LENGTH
  const units = training.target.reduce((sum, text) => sum + text.length, 0) * (validation ? 1 : 1 - share)
  const lines = units / UNITS_PER_TOKEN / length
  // Of a small memory there are a few batches in an epoch, too.
  const batch = value(options.batch_size, Math.max(1, Math.min(BATCH, Math.floor(lines / 4))))
  const [fewest, most] = usual.passes
  const rehearsal = base && base.rehearsal.length > 0 ? value(options.rehearsal, REHEARSAL) : 0
  const perEpoch = (Math.max(1, lines) * (1 + rehearsal)) / batch
  const suits = Math.min(most, Math.max(fewest, Math.ceil(usual.steps / perEpoch)))
  const epochs = value(options.n_epochs, suits)
  const steps = epochs * perEpoch
  const recipe: Recipe = {
    method: 'translation',
    ...(base ? shapeOf(base) : newShape(options)),
    length,
    batch,
    epochs,
    rate: usual.rate * value(options.learning_rate_multiplier, 1),
    warmup: Math.max(1, Math.min(usual.warmup, Math.round(steps / 10))),
    smoothing: 0.1,
    dropout: value(options.dropout, 0.1),
    placeholders: 0.2,
    validation: share,
    patience: usual.patience,
    seed,
    ...(base && { base: base.id, rehearsal }),
  }
  if (!validation) return { recipe, training, warnings: [] }
  return { recipe, training, validation: some(validation), warnings: warningsOf(validation) }
}

function shapeOf({ config }: TranslationBase) {
  const { vocabulary, width, heads, hidden, encoderLayers, decoderLayers } = config
  return { vocabulary, width, heads, hidden, encoderLayers, decoderLayers }
}

function newShape({ vocabulary_size, width: given, layers: asked }: Options['hyperparameters']) {
  const [width, layers] = [value(given, 256), value(asked, 4)]
  const heads = Math.max(1, Math.floor(width / 64))
  return {
    ...{ vocabulary: value(vocabulary_size, 8_000), width, heads: width % heads === 0 ? heads : 1, hidden: 4 * width },
    ...{ encoderLayers: layers, decoderLayers: layers },
  }
}

async function read(file: string, languages: PairSet['languages'], fewest: number): Promise<PairSet> {
  const pairs = await readPairs(file, languages)
  if (pairs.count >= fewest) return pairs
  const message = `The file has ${pairs.count} pairs of ${languages.source} and ${languages.target}; at least ${fewest} are needed.`
  throw new DataSetError('too_few', message)
}

/** The first of them. */
function some({ kind, languages, source, target }: PairSet): PairSet {
  const [first, second] = [source.slice(0, MOST_MEASURED), target.slice(0, MOST_MEASURED)]
  return { kind, languages, count: first.length, source: first, target: second }
}

const warningsOf = ({ count }: PairSet): readonly string[] =>
  count > MOST_MEASURED ? [`Of the ${count} pairs of the validation file the first ${MOST_MEASURED} validate.`] : []

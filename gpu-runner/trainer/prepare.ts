/** What a job was told to do, as a recipe without an `auto` left, and its data. */
import { open } from 'node:fs/promises'
import type { TrainingMethod } from '#protocol/training.ts'
import type { DataSet, ImageSet, RowSet } from './data/data-set.ts'
import { DataSetError } from './data/data-set-error.ts'
import { readImages, surveyImages } from './data/images.ts'
import { numberColumns, readTable } from './data/table.ts'
import { translation } from './prepare-translation.ts'
import { type Auto, type DataFiles, type Prepared, value } from './prepared.ts'
import type { Recipe } from './recipe.ts'
import { type ConditionKind, imageConditions } from './tasks/image-conditions.ts'
import type { TranslationBase } from './tasks/translation-base.ts'

type Common = Readonly<Record<'n_epochs' | 'batch_size' | 'learning_rate_multiplier', Auto<number>>>
interface ImageOptions {
  readonly image_size: Auto<8 | 16 | 32 | 64>
  readonly channels: Auto<1 | 3>
}

/** Steps that a method needs, its learning rate, and the largest batch that it takes by itself. */
const DEFAULTS = {
  vae: { steps: 4_000, rate: 1e-3, batch: 64 },
  gan: { steps: 4_000, rate: 1e-3, batch: 32 },
  denoiser: { steps: 3_000, rate: 1e-3, batch: 32 },
  autoencoder: { steps: 3_000, rate: 1e-3, batch: 64 },
} as const
const EPOCHS = [5, 1_000] as const
/** Validations without a better one after which it is enough. A generator has no measure that it would be stopped by. */
const PATIENCE = 10
/** Channels after each halving of an image. */
const WIDTHS = {
  vae: { 8: [64], 16: [32, 64], 32: [32, 64, 128], 64: [16, 32, 64, 128] },
  gan: { 8: [64], 16: [128, 64], 32: [128, 64, 32], 64: [128, 96, 48, 24] },
  denoiser: { 8: [24, 48], 16: [24, 48], 32: [24, 48, 96], 64: [16, 32, 64, 96] },
} as const
/** Of images that are told by captions: what it counts that they look like the one that was told. */
const MATCHING = 10

/**
 * @param base of a model that translates: what is tuned
 * @throws DataSetError with a sentence for the owner
 */
export async function prepare(
  method: TrainingMethod,
  seed: number,
  files: DataFiles,
  base?: TranslationBase,
): Promise<Prepared> {
  if (method.type === 'translation') return translation(method.translation, seed, files, base)
  if (method.type === 'vae') {
    const options = method.vae.hyperparameters
    const { data, ...rest } = await imagesFor(files, options)
    const { latents, beta } = options
    const condition = conditionOf(data, options.condition)
    const recipe: Recipe = {
      method: 'vae',
      ...common('vae', options, seed, data.count, rest.validation),
      ...shapeOf('vae', data),
      patience: PATIENCE,
      latents: value(latents, data.height <= 16 ? 16 : 32),
      beta: value(beta, 1),
      condition,
      flips: false,
    }
    return { recipe, training: data, ...rest }
  }
  if (method.type === 'gan') {
    const options = method.gan.hyperparameters
    const { data, ...rest } = await imagesFor(files, options)
    const condition = conditionOf(data, options.condition)
    const recipe: Recipe = {
      method: 'gan',
      ...common('gan', options, seed, data.count, rest.validation),
      ...shapeOf('gan', data),
      latents: value(options.latents, 64),
      condition,
      style: 'relativistic',
      augmented: true,
      matching: condition === 'caption' ? MATCHING : 0,
    }
    return { recipe, training: data, ...rest }
  }
  return autoencoder(method.autoencoder.hyperparameters, seed, files)
}

type AutoencoderOptions = Extract<TrainingMethod, { type: 'autoencoder' }>['autoencoder']['hyperparameters']

async function autoencoder(options: AutoencoderOptions, seed: number, files: DataFiles): Promise<Prepared> {
  const isImages = await isArchive(files.training)
  if (options.objective === 'denoise') {
    if (!isImages) throw new DataSetError('unreadable', 'A denoiser learns from images: upload a zip archive of them.')
    if (options.noise === 0) throw new DataSetError('bad_value', 'A denoiser needs a noise above 0 to learn from.')
    const { data, ...rest } = await imagesFor(files, options)
    const recipe: Recipe = {
      method: 'denoiser',
      ...common('denoiser', options, seed, data.count, rest.validation),
      ...shapeOf('denoiser', data),
      patience: PATIENCE,
      noise: value(options.noise, 0.4),
      // A picture without noise is one turned round, too.
      flips: true,
    }
    return { recipe, training: data, ...rest }
  }
  const alarms = value(options.alarms, 0.01)
  if (isImages) {
    const { data, ...rest } = await imagesFor(files, options)
    const recipe: Recipe = {
      method: 'image-autoencoder',
      ...common('autoencoder', options, seed, data.count, rest.validation),
      ...shapeOf('vae', data),
      layers: 'dense',
      hidden: [128],
      patience: PATIENCE,
      latents: value(options.latents, 16),
      noise: value(options.noise, 0),
      alarms,
    }
    return { recipe, training: data, ...rest }
  }
  const { data, ...rest } = await tableFor(files, options)
  const columns = data.columns.length
  const widest = Math.min(512, Math.max(16, 4 * columns))
  const recipe: Recipe = {
    method: 'autoencoder',
    ...common('autoencoder', options, seed, data.count, rest.validation),
    patience: PATIENCE,
    latents: value(options.latents, Math.max(1, Math.min(32, Math.round(columns / 3)))),
    hidden: [widest, Math.ceil(widest / 2)],
    noise: value(options.noise, 0.5),
    alarms,
  }
  return { recipe, training: data, ...rest }
}

function common(
  method: keyof typeof DEFAULTS,
  { n_epochs, batch_size, learning_rate_multiplier }: Common,
  seed: number,
  count: number,
  validating: DataSet | undefined,
) {
  const { steps, rate, batch: most } = DEFAULTS[method]
  const validation = count < 2_000 ? 0.1 : 0.05
  const trained = validating ? count : count - Math.max(1, Math.round(validation * count))
  // A power of two, of which there are a few in an epoch.
  const batch = value(batch_size, 2 ** Math.floor(Math.log2(Math.max(1, Math.min(most, trained / 4)))))
  if (batch > trained) {
    const message = `The data set has ${trained} items to train on, fewer than the batch_size ${batch}.`
    throw new DataSetError('too_few', message)
  }
  const [fewest, mostEpochs] = EPOCHS
  const suits = Math.ceil(steps / Math.floor(trained / batch))
  const epochs = value(n_epochs, Math.min(mostEpochs, Math.max(fewest, suits)))
  return { batch, epochs, rate: rate * value(learning_rate_multiplier, 1), seed, validation }
}

function shapeOf(method: keyof typeof WIDTHS, { height }: ImageSet) {
  const side = height as keyof (typeof WIDTHS)['vae']
  return { side, hidden: [...WIDTHS[method][side]] }
}

async function imagesFor(files: DataFiles, { image_size, channels }: ImageOptions) {
  const survey = image_size === 'auto' || channels === 'auto' ? await surveyImages(files.training) : undefined
  const fits = ([32, 16] as const).find((size) => size <= (survey?.side ?? 0)) ?? 8
  const side = value(image_size, fits)
  const format = { height: side, width: side, channels: value(channels, survey?.isGrey ? 1 : 3) }
  const { data, warnings } = await readImages(files.training, format)
  if (files.validation === undefined) return { data, warnings }
  const validation = await readImages(files.validation, format)
  return { data, validation: validation.data, warnings: [...warnings, ...validation.warnings] }
}

async function tableFor(files: DataFiles, { columns, label }: Pick<AutoencoderOptions, 'columns' | 'label'>) {
  const chosen = columns === 'auto' ? await numberColumns(files.training, label) : { columns, warnings: [] }
  const read = (file: string): Promise<RowSet> => readTable(file, { columns: chosen.columns, label })
  const data = await read(files.training)
  if (files.validation === undefined) return { data, warnings: chosen.warnings }
  return { data, validation: await read(files.validation), warnings: chosen.warnings }
}

function conditionOf(data: ImageSet, given: Auto<ConditionKind>): ConditionKind {
  const kind = value(given, data.captions ? 'caption' : data.classes ? 'class' : 'none')
  // Refuses what the data has not.
  imageConditions(data, kind)
  return kind
}

/** By the first bytes of a zip, be it empty. */
async function isArchive(file: string): Promise<boolean> {
  await using handle = await open(file)
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0)
  return ['PK\x03\x04', 'PK\x05\x06'].includes(buffer.toString('latin1'))
}

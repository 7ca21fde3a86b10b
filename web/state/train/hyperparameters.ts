/** What can be set of each kind of model; what is left out is chosen by the data. */
import type { Hyperparameter, MethodType, Trainable } from '../../transport/training.ts'

export interface Setting {
  readonly name: string
  /** Of a number. */
  readonly range?: { readonly least: number; readonly most: number; readonly whole: boolean }
  /** Of a choice. */
  readonly options?: readonly Hyperparameter[]
  /** Of a column: it is one of the table's. */
  readonly column?: true
}

const whole = (name: string, least: number, most: number): Setting => ({ name, range: { least, most, whole: true } })
const real = (name: string, least: number, most: number): Setting => ({ name, range: { least, most, whole: false } })
const choice = (name: string, options: readonly Hyperparameter[]): Setting => ({ name, options })

const COMMON = [
  whole('n_epochs', 1, 1_000),
  whole('batch_size', 1, 1_024),
  real('learning_rate_multiplier', 0.001, 100),
]
const PICTURES = [choice('image_size', [8, 16, 32, 64]), choice('channels', [1, 3])]
const LATENTS = whole('latents', 2, 512)
const CONDITION = choice('condition', ['none', 'class', 'caption'])
const NOISE = real('noise', 0, 2)

interface Method {
  readonly type: MethodType
  /** What is always said. */
  readonly fixed?: Readonly<Record<string, Hyperparameter>>
  readonly settings: Readonly<Partial<Record<'pictures' | 'table' | 'pairs', readonly Setting[]>>>
}

/** By what is trained. */
export const METHODS: Readonly<Record<Trainable, Method>> = {
  vae: { type: 'vae', settings: { pictures: [...COMMON, ...PICTURES, LATENTS, real('beta', 0.001, 100), CONDITION] } },
  gan: { type: 'gan', settings: { pictures: [...COMMON, ...PICTURES, LATENTS, CONDITION] } },
  autoencoder: {
    type: 'autoencoder',
    fixed: { objective: 'anomaly' },
    settings: {
      pictures: [...COMMON, ...PICTURES, LATENTS, NOISE, real('alarms', 0.0001, 0.5)],
      table: [...COMMON, LATENTS, NOISE, real('alarms', 0.0001, 0.5), { name: 'label', column: true }],
    },
  },
  denoiser: {
    type: 'autoencoder',
    fixed: { objective: 'denoise' },
    settings: { pictures: [...COMMON, ...PICTURES, LATENTS, NOISE] },
  },
  translation: { type: 'translation', settings: { pairs: [...COMMON, real('dropout', 0, 0.5)] } },
}

export interface Languages {
  readonly source: string
  readonly target: string
}

/** What a job of this kind is asked for with. @param languages of a model that translates */
export function methodOf(
  model: Trainable,
  chosen: Readonly<Record<string, Hyperparameter>>,
  languages: Languages | null = null,
) {
  const { type, fixed } = METHODS[model]
  const pair = languages && { source_language: languages.source, target_language: languages.target }
  return { type, [type]: { ...pair, hyperparameters: { ...fixed, ...chosen } } }
}

/**
 * A step of a model that translates. Inputs, of `lines` lines: `source.ids`, `source.places`, `source.sentences` int64
 * [lines, sourceLength], the same of `target` [lines, targetLength], `next` int64 and `weights` float32
 * [lines · targetLength]; and, with dropout, `kept` float32 [KEPT_ROWS, width] and `picks` int64 [places · tokens].
 */
import { type TranslationBatch, type TranslationConfig, translationLoss } from '#models/architectures/translation.ts'
import { adam } from '#models/autodiff/optimizers.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import type { Value } from '#models/graph/graph.ts'
import type { Weights } from '#models/nn/trainable.ts'
import { type Inputs, type MeasuringPlan, StepBuilder, type StepPlan } from '../step-builder.ts'

export interface BatchShape {
  readonly lines: number
  readonly sourceLength: number
  readonly targetLength: number
}

export interface TranslationPlanOptions extends BatchShape {
  readonly smoothing: number
  /** Share of what a block gives that is left out. */
  readonly dropout: number
  /** Longest gradient. */
  readonly clip: number
  /** Decay of the moving average of the weights, which is what is published. */
  readonly averaging: number
}

/** Rows of what dropout keeps, of which each token takes one. */
export const KEPT_ROWS = 4096

/** Tokens of a step that dropout takes a row for: once for the embedding of both sides, and for each block. */
export const pickedRows = (
  { encoderLayers, decoderLayers }: TranslationConfig,
  { lines, sourceLength, targetLength }: BatchShape,
): number => lines * (sourceLength * (1 + 2 * encoderLayers) + targetLength * (1 + 3 * decoderLayers))

export function translationPlan(config: TranslationConfig, options: TranslationPlanOptions): StepPlan {
  const { smoothing, clip, averaging } = options
  const lossOf = (g: GraphBuilder, weights: Weights, batch: TranslationBatch) =>
    translationLoss({ g, weights, layout: 'rows' }, config, batch, smoothing)
  const step = new StepBuilder('translation')
  const network = step.network(
    'translator',
    (g, weights) => lossOf(g, weights, batchOf(g, g, config, { ...options, dropout: 0 })),
    { optimizer: adam({ beta2: 0.98 }), clip, averaging },
  )
  const [loss, plain] = lossOf(step.g, network.weights, batchOf(step.g, step, config, options))
  step.minimise(network, loss)
  step.metric('loss', loss)
  step.metric('cross_entropy', plain)
  return step.build()
}

/** The plain loss of a batch by the moving average of the weights, without dropout. */
export function translationEvaluation(
  config: TranslationConfig,
  shape: BatchShape,
  { networks }: StepPlan,
): MeasuringPlan {
  const [network] = networks
  if (!network) throw new TypeError('the plan has no network')
  const step = new StepBuilder('translation-evaluation')
  const weights = step.trained(network, { averaged: true })
  const batch = batchOf(step.g, step, config, { ...shape, dropout: 0 })
  const [, plain] = translationLoss({ g: step.g, weights, layout: 'rows' }, config, batch, 0)
  step.metric('loss', plain)
  return step.build()
}

type Asked = BatchShape & Pick<TranslationPlanOptions, 'dropout'>

function batchOf(g: GraphBuilder, inputs: Inputs, config: TranslationConfig, asked: Asked): TranslationBatch {
  const { lines, sourceLength, targetLength } = asked
  const side = (name: string, length: number) => {
    const whole = (which: string) => inputs.input(`${name}.${which}`, 'int64', [lines, length])
    return { ids: whole('ids'), places: whole('places'), sentences: whole('sentences') }
  }
  return {
    source: side('source', sourceLength),
    target: side('target', targetLength),
    next: inputs.input('next', 'int64', [lines * targetLength]),
    weights: inputs.input('weights', 'float32', [lines * targetLength]),
    ...(asked.dropout > 0 && { kept: keptOf(g, inputs, config, asked) }),
  }
}

/** Hands out the picks one after the other, in the order in which the model asks. */
function keptOf(g: GraphBuilder, inputs: Inputs, config: TranslationConfig, shape: BatchShape) {
  const rows = inputs.input('kept', 'float32', [KEPT_ROWS, config.width])
  const picks = inputs.input('picks', 'int64', [pickedRows(config, shape)])
  let at = 0
  const pick = (tokens: number): Value => {
    const [part] = g.op('Slice', [picks, g.integers([at]), g.integers([at + tokens]), g.integers([0])], {})
    at += tokens
    return part
  }
  return { rows, pick }
}

/** A step of a GPT. Inputs: those of text-parts.ts, as long as the context. */
import { type GptConfig, gptLoss } from '#models/architectures/gpt.ts'
import { adam } from '#models/autodiff/optimizers.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import type { Weights } from '#models/nn/trainable.ts'
import { StepBuilder, type StepPlan } from '../step-builder.ts'
import { meanLoss, type TextPart, textParts } from './text-parts.ts'

export interface GptPlanOptions {
  readonly batch: number
  readonly weightDecay: number
  /** Longest gradient. */
  readonly clip: number
}

export function gptPlan(config: GptConfig, { batch, weightDecay, clip }: GptPlanOptions): StepPlan {
  const size = { batch, length: config.context }
  const lossOf = (g: GraphBuilder, weights: Weights, { ids, next }: TextPart) =>
    gptLoss({ g, weights, layout: 'rows' }, config, ids, next)
  const step = new StepBuilder('gpt')
  const network = step.network('gpt', (g, weights) => lossOf(g, weights, textParts(g, g, size)[0]), {
    optimizer: adam({ weightDecay }),
    clip,
  })
  const losses = textParts(step.g, step, size).map((part) => lossOf(step.g, network.weights, part))
  step.minimise(network, ...losses)
  step.metric('loss', meanLoss(step.g, losses))
  return step.build()
}

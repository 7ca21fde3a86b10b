/** A step of a GPT. Inputs: ids int64 [batch, length]; next int64 [batch · length], the token after each. */
import { type GptConfig, gptLoss } from '#models/architectures/gpt.ts'
import { adam } from '#models/autodiff/optimizers.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import type { Weights } from '#models/nn/trainable.ts'
import { type Inputs, StepBuilder, type StepPlan } from '../step-builder.ts'

export interface GptPlanOptions {
  readonly batch: number
  readonly weightDecay: number
  /** Longest gradient. */
  readonly clip: number
}

export function gptPlan(config: GptConfig, { batch, weightDecay, clip }: GptPlanOptions): StepPlan {
  const build = (g: GraphBuilder, weights: Weights, inputs: Inputs) => {
    const ids = inputs.input('ids', 'int64', [batch, config.context])
    const next = inputs.input('next', 'int64', [batch * config.context])
    return gptLoss({ g, weights, layout: 'rows' }, config, ids, next)
  }
  const step = new StepBuilder('gpt')
  const network = step.network('gpt', (g, weights) => build(g, weights, g), { optimizer: adam({ weightDecay }), clip })
  const loss = build(step.g, network.weights, step)
  step.minimise(network, loss)
  step.metric('loss', loss)
  return step.build()
}

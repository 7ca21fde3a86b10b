/** A step of adapters beside a frozen Llama. Inputs: those of text-parts.ts. */
import { type LlamaLoraConfig, llamaLoraLoss } from '#models/architectures/llama-lora.ts'
import { adam } from '#models/autodiff/optimizers.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import { fedWeights, type Weights } from '#models/nn/trainable.ts'
import { StepBuilder, type StepPlan } from '../step-builder.ts'
import { meanLoss, type TextPart, textParts } from './text-parts.ts'

export interface LlamaLoraPlanOptions {
  readonly batch: number
  readonly length: number
  /** Longest gradient. */
  readonly clip: number
}

export function llamaLoraPlan(config: LlamaLoraConfig, options: LlamaLoraPlanOptions): StepPlan {
  const { clip } = options
  const lossOf = (g: GraphBuilder, adapters: Weights, frozen: Weights, { ids, next }: TextPart) =>
    llamaLoraLoss({ g, frozen, adapters }, config, ids, next)
  const step = new StepBuilder('llama-lora')
  const network = step.network(
    'adapters',
    (g, adapters) => lossOf(g, adapters, fedWeights(g).weights, textParts(g, g, options)[0]),
    { optimizer: adam(), clip },
  )
  const losses = textParts(step.g, step, options).map((part) => lossOf(step.g, network.weights, step.frozen, part))
  step.minimise(network, ...losses)
  step.metric('loss', meanLoss(step.g, losses))
  return step.build()
}

/** A step of adapters beside a frozen Llama. Inputs: ids int64 [batch, length]; next int64 [batch · length], the token after each. */
import { type LlamaLoraConfig, llamaLoraLoss } from '#models/architectures/llama-lora.ts'
import { adam } from '#models/autodiff/optimizers.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import { fedWeights, type Weights } from '#models/nn/trainable.ts'
import { type Inputs, StepBuilder, type StepPlan } from '../step-builder.ts'

export interface LlamaLoraPlanOptions {
  readonly batch: number
  readonly length: number
  /** Longest gradient. */
  readonly clip: number
}

export function llamaLoraPlan(config: LlamaLoraConfig, { batch, length, clip }: LlamaLoraPlanOptions): StepPlan {
  const build = (g: GraphBuilder, adapters: Weights, frozen: Weights, inputs: Inputs) => {
    const ids = inputs.input('ids', 'int64', [batch, length])
    const next = inputs.input('next', 'int64', [batch * length])
    return llamaLoraLoss({ g, frozen, adapters }, config, ids, next)
  }
  const step = new StepBuilder('llama-lora')
  const network = step.network('adapters', (g, adapters) => build(g, adapters, fedWeights(g).weights, g), {
    optimizer: adam(),
    clip,
  })
  const loss = build(step.g, network.weights, step.frozen, step)
  step.minimise(network, loss)
  step.metric('loss', loss)
  return step.build()
}

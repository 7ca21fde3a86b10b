/**
 * Llama: a decoder-only transformer with RMSNorm, rotary embeddings, grouped-query attention and SwiGLU
 * (Touvron et al. 2023, https://arxiv.org/abs/2302.13971; grouped queries from https://arxiv.org/abs/2307.09288, stretched
 * frequencies from https://arxiv.org/abs/2407.21783). Inputs and outputs are in `decoder-blocks.ts`.
 */
import { GraphBuilder } from '../graph/builder.ts'
import { embedding } from '../nn/linear.ts'
import {
  type Architecture,
  attend,
  checkpointRope,
  type Decoder,
  embeddingTable,
  logitsOf,
  packedHeads,
  positionInputs,
  preNormLayers,
  swiGlu,
  tokenInput,
} from './decoder-blocks.ts'

export const llama: Architecture = (config, p, phase) => {
  const g = new GraphBuilder(`llama.${phase}`)
  const decoder: Decoder = { g, config, p, phase }
  const inputIds = tokenInput(g)
  const positions = positionInputs(decoder)
  const rope = checkpointRope(decoder)
  // Checkpoints of this family are stored with the elements of a head that turn together side by side.
  const attention = { positions, rope, interleaved: true, scale: 1 / Math.sqrt(config.headDim) }

  const table = embeddingTable(decoder)
  const embedded = embedding(g, inputIds, table) // [1, tokens, hidden]
  const residual = preNormLayers(
    decoder,
    embedded,
    (i, x) => attend(decoder, i, [packedHeads(decoder, i, x)], attention),
    (i, x) => swiGlu(decoder, i, x),
  )
  if (phase === 'decode') g.output(logitsOf(decoder, residual, table), 'logits')
  return g.build()
}

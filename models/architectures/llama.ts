/**
 * Llama: a decoder-only transformer with RMSNorm, rotary embeddings, grouped-query attention and SwiGLU
 * (Touvron et al. 2023, https://arxiv.org/abs/2302.13971; grouped queries from https://arxiv.org/abs/2307.09288, stretched
 * frequencies from https://arxiv.org/abs/2407.21783). Inputs and outputs are in `decoder-blocks.ts`.
 */
import { GraphBuilder } from '../graph/builder.ts'
import type { Graph } from '../graph/graph.ts'
import { embedding } from '../nn/linear.ts'
import type { Parameters } from '../nn/parameters.ts'
import {
  attend,
  checkpointRope,
  type Decoder,
  type DecoderConfig,
  embeddingTable,
  logitsOf,
  packedHeads,
  positionInputs,
  preNormLayers,
  swiGlu,
} from './decoder-blocks.ts'

export type LlamaConfig = DecoderConfig

/** The decoder for one checkpoint. Throws if a parameter is missing or of the wrong shape. */
export function llama(config: LlamaConfig, p: Parameters): Graph {
  const g = new GraphBuilder('llama')
  const decoder: Decoder = { g, config, p }
  const inputIds = g.input('input_ids', 'int64', ['batch', 'seq'])
  const positions = positionInputs(g)
  const rope = checkpointRope(decoder)
  const logitRows = g.input('logit_rows', 'int64', ['rows'])
  // Checkpoints of this family are stored with the elements of a head that turn together side by side.
  const attention = { positions, rope, interleaved: true, scale: 1 / Math.sqrt(config.headDim) }

  const table = embeddingTable(decoder)
  const embedded = embedding(g, inputIds, table) // [batch, seq, hidden]
  const residual = preNormLayers(
    decoder,
    embedded,
    (i, x) => attend(decoder, i, [packedHeads(decoder, i, x)], attention),
    (i, x) => swiGlu(decoder, i, x),
  )
  g.output(logitsOf(decoder, residual, logitRows, table), 'logits')
  return g.build()
}

/**
 * Gemma 2 and 3: norms before and after each block, GELU in the gated MLP, and layers that see a window of the last tokens
 * between layers that see all (https://arxiv.org/abs/2408.00118, https://arxiv.org/abs/2503.19786). Gemma 2 caps scores and
 * logits; Gemma 3 normalises queries and keys instead, and turns the heads of its local layers by frequencies of their own.
 * A GGUF checkpoint's norms have the 1 of Gemma's (1 + scale) in them. Inputs and outputs are in `decoder-blocks.ts`.
 */
import { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { embedding } from '../nn/linear.ts'
import { rmsNorm } from '../nn/norm.ts'
import { ropeWeights } from '../nn/rope.ts'
import {
  type Architecture,
  attend,
  checkpointRope,
  type Decoder,
  type DecoderConfig,
  embeddingTable,
  gatedMlp,
  hiddenNorm,
  logitsOf,
  normedHeads,
  packedHeads,
  positionInputs,
  preNormLayers,
  tokenInput,
} from './decoder-blocks.ts'

export interface GemmaConfig extends DecoderConfig {
  /** Tokens that a local layer sees, itself included. */
  readonly window: number
  /** Of so many layers, the last one sees all tokens; the others are local. */
  readonly windowPeriod: number
  /** The rotary base of local layers, if it is not that of the others. */
  readonly localRopeBase?: number | undefined
  readonly queryScale: number
  /** Whether each query and key is normalised. */
  readonly headNorms: boolean
  /** What scores and logits are capped to; no cap if left out. */
  readonly scoreCap?: number | undefined
  readonly logitCap?: number | undefined
}

export const gemma: Architecture<GemmaConfig> = (config, p, phase) => {
  const g = new GraphBuilder(`gemma.${phase}`)
  const decoder: Decoder<GemmaConfig> = { g, config, p, phase }
  const inputIds = tokenInput(g)
  const positions = positionInputs(decoder)
  const { headNorms, queryScale, scoreCap, logitCap, window, windowPeriod } = config
  const rope = checkpointRope(decoder)
  const whole = { positions, rope, interleaved: false, scale: queryScale, softcap: scoreCap }
  const local = { ...whole, rope: localRope(decoder) ?? rope, window }
  const postNorm = (x: Value, name: string) => rmsNorm(g, x, hiddenNorm(decoder, name))

  const attention = (i: number, x: Value): Value => {
    const packed = packedHeads(decoder, i, x)
    const heads = headNorms ? normedHeads(decoder, i, packed) : ([packed] as const)
    const attended = attend(decoder, i, heads, (i + 1) % windowPeriod === 0 ? whole : local)
    return postNorm(attended, `blk.${i}.post_attention_norm.weight`)
  }
  const mlp = (i: number, x: Value): Value => {
    const transformed = gatedMlp(decoder, i, x, (gate) => g.op('Gelu', [gate], { approximate: 'tanh' })[0])
    return postNorm(transformed, `blk.${i}.post_ffw_norm.weight`)
  }

  const table = embeddingTable(decoder)
  const embedded = times(g, embedding(g, inputIds, table), Math.sqrt(config.hiddenSize)) // [1, tokens, hidden]
  const residual = preNormLayers(decoder, embedded, attention, mlp)
  if (phase === 'decode') {
    const logits = logitsOf(decoder, residual, table)
    g.output(logitCap === undefined ? logits : capped(g, logits, logitCap), 'logits')
  }
  return g.build()
}

function localRope({ g, config }: Decoder<GemmaConfig>) {
  const { contextLength: positions, headDim, localRopeBase: base, kvElement: element } = config
  return base === undefined
    ? undefined
    : ropeWeights(g, 'rope.local', { positions, headDim, base, stretch: 1, element })
}

/** cap · tanh(x / cap) */
function capped(g: GraphBuilder, x: Value, cap: number): Value {
  const [squashed] = g.op('Tanh', [times(g, x, 1 / cap)], {})
  return times(g, squashed, cap)
}

function times(g: GraphBuilder, x: Value, factor: number): Value {
  const scalar = g.shared(`scalar[${factor}]`, 'float32', [1], () => Float32Array.of(factor))
  return g.op('Mul', [x, scalar], {})[0]
}

/** GPT-2's decoder (Radford et al. 2019), for training: pre-norm blocks of causal attention and a feed-forward layer. */
import { add, dimsOf, reshape, transpose } from '../graph/arithmetic.ts'
import type { Value } from '../graph/graph.ts'
import { causalAttention } from '../nn/attention.ts'
import { type Layers, linear } from '../nn/layers.ts'
import { crossEntropy } from '../nn/losses.ts'
import type { Initial } from '../nn/trainable.ts'

export interface GptConfig {
  readonly vocabulary: number
  readonly context: number
  readonly width: number
  readonly heads: number
  readonly layers: number
}

const normal = (deviation: number): Initial => ({ kind: 'normal', deviation })
const constant = (value: number): Initial => ({ kind: 'constant', value })
const INITIAL = normal(0.02)
const EPSILON = 1e-5

function layerNorm({ g, weights }: Layers, name: string, x: Value): Value {
  const shape = [Number(x.shape.at(-1))]
  const scale = weights.weight({ name: `${name}.weight`, shape, initial: constant(1) })
  const bias = weights.weight({ name: `${name}.bias`, shape, initial: constant(0) })
  return g.op('LayerNormalization', [x, scale, bias], { axis: -1, epsilon: EPSILON })[0]
}

/** x [batch · length, width] */
function block(layers: Layers, name: string, x: Value, { batch, config }: { batch: number; config: GptConfig }): Value {
  const { g } = layers
  const { width, heads } = config
  const residual = normal(0.02 / Math.sqrt(2 * config.layers))
  const length = (dimsOf(x)[0] ?? 1) / batch
  const size = width / heads
  const qkv = linear(layers, `${name}.attn.c_attn`, layerNorm(layers, `${name}.ln_1`, x), 3 * width, {
    initial: INITIAL,
  })
  // [batch, length, 3, heads, size] → [3, batch, heads, length, size]
  const turned = transpose(g, reshape(g, qkv, [batch, length, 3, heads, size]), [2, 0, 3, 1, 4])
  const [q, k, v] = g
    .op('Split', [turned, g.integers([1, 1, 1])], { axis: 0 })
    .map((part) => reshape(g, part, [batch, heads, length, size])) as [Value, Value, Value]
  const seen = transpose(g, causalAttention(g, q, k, v), [0, 2, 1, 3])
  const attended = add(
    g,
    x,
    linear(layers, `${name}.attn.c_proj`, reshape(g, seen, [batch * length, width]), width, { initial: residual }),
  )
  const wide = linear(layers, `${name}.mlp.c_fc`, layerNorm(layers, `${name}.ln_2`, attended), 4 * width, {
    initial: INITIAL,
  })
  const [active] = g.op('Gelu', [wide], { approximate: 'tanh' })
  return add(g, attended, linear(layers, `${name}.mlp.c_proj`, active, width, { initial: residual }))
}

/** ids int64 [batch, length] → logits [batch · length, vocabulary] */
export function gptLogits(layers: Layers, config: GptConfig, ids: Value): Value {
  const { g, weights } = layers
  const { vocabulary, context, width } = config
  const [batch = 1, length = 1] = dimsOf(ids)
  const tokens = weights.weight({ name: 'wte.weight', shape: [vocabulary, width], initial: INITIAL })
  const positions = weights.weight({ name: 'wpe.weight', shape: [context, width], initial: INITIAL })
  const [first] = g.op('Slice', [positions, g.integers([0]), g.integers([length]), g.integers([0])], {})
  let x = reshape(g, add(g, g.op('Gather', [tokens, ids], {})[0], first), [batch * length, width])
  for (let i = 0; i < config.layers; i++) x = block(layers, `h.${i}`, x, { batch, config })
  return linear(layers, 'lm_head', layerNorm(layers, 'ln_f', x), vocabulary, { bias: false, initial: INITIAL })
}

/** Mean cross-entropy of the next tokens, int64 [batch · length]. */
export const gptLoss = (layers: Layers, config: GptConfig, ids: Value, next: Value): Value =>
  crossEntropy(layers.g, gptLogits(layers, config, ids), next)

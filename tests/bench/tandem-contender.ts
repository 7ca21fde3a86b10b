/** Tandem's decoder, as its engine's thread runs it. */
import { OnnxDecoder } from '#gpu-runner/engine/onnx-decoder.ts'
import { rank } from '#gpu-runner/engine/ranking.ts'
import { Runtime } from '#gpu-runner/runtime/runtime.ts'
import { ensureDecoderGraphs } from '#gpu-runner/store/decoder-graph.ts'
import { serve } from './contender.ts'

let decoder: OnnxDecoder
const CHUNK = 512

/** As the engine does it: all but the last token in chunks, none of a token by itself. */
function prefill(tokens: readonly number[], slot = 0): void {
  const last = tokens.length - 1
  for (let at = 0; at < last; ) {
    const end = at + CHUNK + 1 >= last ? Math.max(last, at + 2) : at + CHUNK
    decoder.prefill(tokens.slice(at, end), at, slot)
    at = end
  }
}

/** Logits after a prompt. */
function after(tokens: readonly number[]): Float32Array {
  prefill(tokens)
  return decoder.decode(tokens.slice(-1), [tokens.length - 1])
}

function argmax(logits: Float32Array): number {
  return rank(logits).likeliest
}

serve({
  name: 'tandem',
  async load({ ggufPath, sha256, threads, contextLength, sequences }) {
    const { paths, config } = ensureDecoderGraphs(ggufPath, sha256, 'float32')
    decoder = new OnnxDecoder(new Runtime({ threads }), { paths, ...config, contextLength, slots: sequences })
  },
  async prefill(tokens) {
    after(tokens)
  },
  async generate(prompt, count, onFirst) {
    const tokens = [argmax(after(prompt))]
    onFirst()
    while (tokens.length < count) {
      tokens.push(argmax(decoder.decode(tokens.slice(-1), [prompt.length + tokens.length - 1])))
    }
    return tokens
  },
  async generateMany(prompts, count, onFirst) {
    for (const [slot, prompt] of prompts.entries()) prefill(prompt, slot)
    let tokens = prompts.map((prompt) => prompt.at(-1) as number)
    for (let i = 0; i < count; i++) {
      if (i === 1) onFirst()
      const logits = decoder.decode(
        tokens,
        prompts.map((prompt) => prompt.length + i - 1),
      )
      const vocabulary = logits.length / tokens.length
      tokens = tokens.map((_, slot) => argmax(logits.subarray(slot * vocabulary, (slot + 1) * vocabulary)))
    }
  },
  async negativeLogLikelihood(tokens) {
    let sum = 0
    for (const [i, token] of tokens.slice(0, -1).entries()) {
      const logits = decoder.decode([token], [i])
      sum -= logProbability(logits, tokens[i + 1] ?? 0)
    }
    return sum
  },
  async logitGap(prompt, first, second) {
    const logits = after(prompt)
    return (logits[first] ?? 0) - (logits[second] ?? 0)
  },
})

function logProbability(logits: Float32Array, token: number): number {
  const peak = logits[argmax(logits)] ?? 0
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - peak), 0)
  return (logits[token] ?? 0) - peak - Math.log(total)
}

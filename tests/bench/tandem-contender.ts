/** Tandem's decoder, as its engine's thread runs it. */
import { OnnxDecoder } from '#gpu-runner/engine/onnx-decoder.ts'
import { argmax } from '#gpu-runner/engine/sampler.ts'
import { Runtime } from '#gpu-runner/runtime/runtime.ts'
import { ensureDecoderGraph } from '#gpu-runner/store/decoder-graph.ts'
import { serve } from './contender.ts'

let decoder: OnnxDecoder
const CHUNK = 256

/** As the engine does it: in chunks. */
function prefill(tokens: readonly number[], slot = 0): Float32Array {
  let logits: Float32Array = new Float32Array()
  for (let at = 0; at < tokens.length; at += CHUNK) logits = decoder.run(tokens.slice(at, at + CHUNK), at, slot)
  return logits
}

serve({
  name: 'tandem',
  async load({ ggufPath, sha256, threads, contextLength, sequences }) {
    const { path, config } = ensureDecoderGraph(ggufPath, sha256, 'float32')
    decoder = new OnnxDecoder(new Runtime(), { modelPath: path, threads, ...config, contextLength, slots: sequences })
  },
  async prefill(tokens) {
    prefill(tokens)
  },
  async generate(prompt, count, onFirst) {
    const tokens = [argmax(prefill(prompt))]
    onFirst()
    while (tokens.length < count) {
      tokens.push(argmax(decoder.run([tokens.at(-1) ?? 0], prompt.length + tokens.length - 1)))
    }
    return tokens
  },
  async generateMany(prompts, count, onFirst) {
    let tokens = prompts.map((prompt, slot) => argmax(prefill(prompt, slot)))
    onFirst()
    for (let i = 1; i < count; i++) {
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
      const logits = decoder.run([token], i)
      sum -= logProbability(logits, tokens[i + 1] ?? 0)
    }
    return sum
  },
  async logitGap(prompt, first, second) {
    const logits = prefill(prompt)
    return (logits[first] ?? 0) - (logits[second] ?? 0)
  },
})

function logProbability(logits: Float32Array, token: number): number {
  const peak = logits[argmax(logits)] ?? 0
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - peak), 0)
  return (logits[token] ?? 0) - peak - Math.log(total)
}

/** What choosing the next tokens costs beside computing their logits, on texts that go on as they were chosen. */
import { OnnxDecoder } from '#gpu-runner/engine/onnx-decoder.ts'
import { uniform } from '#gpu-runner/engine/random.ts'
import { type SamplingOptions, sample } from '#gpu-runner/engine/sampler.ts'
import { Runtime } from '#gpu-runner/runtime/runtime.ts'
import { ensureDecoderGraphs } from '#gpu-runner/store/decoder-graph.ts'

const STEPS = 96
/** Code that is run for the first time is slow. */
const WARM_UP = 48
const FREE: SamplingOptions = { temperature: 1, topP: 1, topK: 0 }
const WAYS: Readonly<Record<string, SamplingOptions>> = {
  greedy: { ...FREE, temperature: 0 },
  temperature: FREE,
  'top_p 0.95': { ...FREE, temperature: 0.8, topP: 0.95 },
  'top_p 0.9, top_k 40': { ...FREE, temperature: 0.8, topP: 0.9, topK: 40 },
  'min_p 0.05': { ...FREE, minP: 0.05 },
  'typical_p 0.9': { ...FREE, typicalP: 0.9 },
}

export interface SamplingCost {
  readonly way: string
  /** Medians, of all sequences of a step together. */
  readonly stepMs: number
  readonly sampleMs: number
}

/** @param prompts one for each sequence of the batch */
export function measureSampling(
  model: { ggufPath: string; sha256: string; threads: number; contextLength: number },
  prompts: readonly (readonly number[])[],
): SamplingCost[] {
  const { paths, config } = ensureDecoderGraphs(model.ggufPath, model.sha256, 'float32')
  const runtime = new Runtime({ threads: model.threads })
  const { contextLength } = model
  const decoder = new OnnxDecoder(runtime, { paths, ...config, contextLength, slots: prompts.length })
  return Object.entries(WAYS).map(([way, options]) => {
    for (const [slot, prompt] of prompts.entries()) decoder.prefill(prompt.slice(0, -1), 0, slot)
    let tokens = prompts.map((prompt) => prompt.at(-1) as number)
    const times = Array.from({ length: STEPS }, (_, step) => {
      const begun = performance.now()
      const positions = prompts.map((prompt) => prompt.length - 1 + step)
      const logits = decoder.decode(tokens, positions)
      const computed = performance.now()
      const size = logits.length / tokens.length
      tokens = tokens.map((_, slot) =>
        sample(logits.subarray(slot * size, (slot + 1) * size), options, uniform(slot, step)),
      )
      return { stepMs: computed - begun, sampleMs: performance.now() - computed }
    }).slice(WARM_UP)
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number
    return { way, stepMs: median(times.map((t) => t.stepMs)), sampleMs: median(times.map((t) => t.sampleMs)) }
  })
}

/** The whole way from a checkpoint to logits, against transformers' on the same weights (`models/architectures/testdata`). */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { Runtime } from '../runtime/runtime.ts'
import { ensureDecoderGraphs } from '../store/decoder-graph.ts'
import { OnnxDecoder } from './onnx-decoder.ts'

const REFERENCES = path.join(import.meta.dirname, '../../models/architectures/testdata')
const folder = mkdtempSync(path.join(tmpdir(), 'tandem-decoder-'))
after(() => rmSync(folder, { recursive: true }))

interface Reference {
  prompt: number
  tokens: number[]
  /** After the prompt, and after each token that follows it. */
  logits: number[][]
}

/** What is left of a difference once the size of the logits is taken out; 8-bit rounding in the output layer is in it. */
function relativeError(actual: Float32Array, expected: readonly number[]): number {
  const square = (values: Iterable<number>) => [...values].reduce((sum, x) => sum + x * x, 0)
  return Math.sqrt(square(expected.map((x, i) => x - (actual[i] ?? Number.NaN))) / square(expected))
}

/** Checkpoints, and how far their logits may be off, in parts of the logits' own size. */
const BOUNDS = {
  'tiny-llama': 0.01,
  'tiny-llama-tied': 0.01,
  'tiny-llama3': 0.01,
  'tiny-qwen2': 0.01,
  // Some of its layers are of 8 bits as well, with activations rounded to as many.
  'tiny-qwen2-mixed': 0.03,
  'tiny-qwen3': 0.01,
  'tiny-gemma2': 0.01,
  'tiny-gemma3': 0.01,
}
const CASES = [
  ...Object.entries(BOUNDS).map(([name, bound]) => [name, bound, 'float32'] as const),
  // Attention in float16 is for a GPU, but a CPU computes it as well.
  ['tiny-llama', 0.01, 'float16'] as const,
]

for (const [name, bound, kvElement] of CASES) {
  describe(`${name}, attention in ${kvElement}`, () => {
    const reference = JSON.parse(readFileSync(path.join(REFERENCES, `${name}.json`), 'utf8')) as Reference
    const { prompt, tokens, logits } = reference
    const ggufPath = path.join(folder, `${name}.gguf`)
    copyFileSync(path.join(REFERENCES, `${name}.gguf`), ggufPath)
    const { paths, config } = ensureDecoderGraphs(ggufPath, name, kvElement)
    const runtime = new Runtime({ threads: 1 })
    const decoder = new OnnxDecoder(runtime, { paths, ...config, slots: 3 })
    const next = (token: number | undefined, position: number, slot = 0) => {
      const batch = Array.from({ length: slot + 1 }, (_, i) => (i === slot ? (token as number) : i))
      const logits = decoder.decode(
        batch,
        batch.map((_, i) => (i === slot ? position : 0)),
      )
      return logits.subarray(slot * config.vocabularySize, (slot + 1) * config.vocabularySize)
    }
    after(() => {
      decoder[Symbol.dispose]()
      runtime[Symbol.dispose]()
    })
    const near = (actual: Float32Array, expected: readonly number[] | undefined) => {
      assert.ok(expected)
      assert.equal(actual.length, expected.length)
      const error = relativeError(actual, expected)
      assert.ok(error < bound, `off by ${error} of the logits' own size`)
    }

    test('a prompt and the tokens after it', () => {
      decoder.prefill(tokens.slice(0, prompt - 1), 0, 0)
      for (let i = prompt - 1; i < tokens.length; i++) near(next(tokens[i], i), logits[i - prompt + 1])
    })

    // For a GPU, one row and several are multiplied in float32, which a CPU does not do with the same bits.
    test('a prompt in parts, in a slot beside others, has the same bits as the whole', () => {
      decoder.prefill(tokens.slice(0, prompt - 1), 0, 0)
      const whole = next(tokens[prompt - 1], prompt - 1).slice()
      decoder.prefill(tokens.slice(0, 5), 0, 2)
      decoder.prefill(tokens.slice(5, prompt - 1), 5, 2)
      if (kvElement === 'float32') assert.deepEqual(next(tokens[prompt - 1], prompt - 1, 2), whole)
      else near(next(tokens[prompt - 1], prompt - 1, 2), [...whole])
    })

    test('what was computed before is forgotten where it is computed again', () => {
      decoder.prefill([...tokens].reverse(), 0, 0)
      decoder.prefill(tokens.slice(0, prompt - 1), 0, 0)
      near(next(tokens[prompt - 1], prompt - 1), logits[0])
    })

    test('a sequence goes on in another slot, copied there or put back', () => {
      const last = prompt - 1
      decoder.prefill(tokens.slice(0, last), 0, 0)
      decoder.move(0, 1, last)
      const saved = decoder.save(1, last)
      assert.equal(saved.bytes, last * decoder.bytesPerToken)
      near(next(tokens[last], last, 1), logits[0])
      decoder.prefill([...tokens].reverse(), 0, 2)
      decoder.restore(2, saved, last)
      near(next(tokens[last], last, 2), logits[0])
    })

    test('no token beyond the context', () => {
      assert.throws(() => decoder.prefill(tokens, config.contextLength - 1, 0), RangeError)
      assert.throws(() => next(1, config.contextLength), RangeError)
    })
  })
}

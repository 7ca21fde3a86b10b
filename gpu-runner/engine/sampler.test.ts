import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { uniform } from './random.ts'
import { type SamplingOptions, sample } from './sampler.ts'

const FREE: SamplingOptions = { temperature: 1, topP: 1, topK: 0 }

/** How often each token is drawn, as a share. */
function shares(logits: number[], options: Partial<SamplingOptions>, draws = 20_000): number[] {
  const counts = logits.map(() => 0)
  const array = Float32Array.from(logits)
  for (let i = 0; i < draws; i++) {
    const token = sample(array, { ...FREE, ...options }, uniform(3, i))
    counts[token] = (counts[token] ?? 0) + 1
  }
  return counts.map((count) => count / draws)
}

/** Probabilities by the definition: sort all, cut, renormalise. */
function expected(logits: number[], { temperature, topP, topK }: SamplingOptions): number[] {
  const peak = Math.max(...logits)
  const weights = logits.map((logit) => Math.exp((Math.fround(logit) - Math.fround(peak)) / temperature))
  const order = logits.map((_, i) => i).sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b)
  const kept = order.slice(0, topK || order.length)
  const mass = kept.reduce((sum, i) => sum + (weights[i] ?? 0), 0)
  let held = 0
  const cut = kept.findIndex((i) => {
    held += weights[i] ?? 0
    return held >= topP * mass
  })
  const nucleus = cut < 0 ? kept : kept.slice(0, cut + 1)
  const total = nucleus.reduce((sum, i) => sum + (weights[i] ?? 0), 0)
  return logits.map((_, i) => (nucleus.includes(i) ? (weights[i] ?? 0) / total : 0))
}

const LOGITS = [1, 3, -2, 2.5, 0, 3.2, -50, 1.5]
for (const options of [
  {},
  { temperature: 0.5 },
  { temperature: 2 },
  { topK: 3 },
  { topP: 0.8 },
  { topP: 0.9, topK: 4, temperature: 1.3 },
]) {
  test(`draws as the definition has it: ${JSON.stringify(options)}`, () => {
    const drawn = shares(LOGITS, options)
    for (const [token, probability] of expected(LOGITS, { ...FREE, ...options }).entries()) {
      assert.ok(
        Math.abs((drawn[token] ?? 0) - probability) < 0.015,
        `token ${token}: ${drawn[token]} for ${probability}`,
      )
    }
  })
}

test('temperature 0, top_k 1 and top_p 0 are greedy, the first of equals', () => {
  const logits = Float32Array.from([0, 5, 5, 1])
  for (const greedy of [{ temperature: 0 }, { topK: 1 }, { topP: 0 }]) {
    assert.equal(sample(logits, { ...FREE, ...greedy }, 0.99), 1)
  }
})

test('never leaves the allowed set, whatever the logits', () => {
  const logits = fc.array(fc.double({ min: -80, max: 80, noNaN: true }), { minLength: 1, maxLength: 40 })
  const options = fc.record({
    temperature: fc.double({ min: 0.01, max: 2, noNaN: true }),
    topP: fc.double({ min: 0, max: 1, noNaN: true }),
    topK: fc.nat(50),
  })
  fc.assert(
    fc.property(logits, options, fc.double({ min: 0, max: 0.999999, noNaN: true }), (values, chosen, random) => {
      const rounded = values.map(Math.fround)
      const token = sample(Float32Array.from(values), chosen, random)
      const better = rounded.filter((logit) => logit > (rounded[token] ?? 0)).length
      assert.ok(token >= 0 && token < values.length)
      if (chosen.topK > 0) assert.ok(better < chosen.topK)
    }),
    { seed: 1, numRuns: 500 },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { uniform } from './random.ts'
import { type SamplingOptions, sample } from './sampler.ts'

const FREE: SamplingOptions = { temperature: 1, topP: 1, topK: 0 }

/** How often each token is drawn by random numbers that lie evenly: its probability, to a few of them. */
function shares(logits: number[], options: Partial<SamplingOptions>, draws = 20_000): number[] {
  const counts = logits.map(() => 0)
  const array = Float32Array.from(logits)
  for (let i = 0; i < draws; i++) {
    const token = sample(array, { ...FREE, ...options }, (i + 0.5) / draws)
    counts[token] = (counts[token] ?? 0) + 1
  }
  return counts.map((count) => count / draws)
}

/** Probabilities by the definition: sort all, cut by each rule in its turn, renormalise. */
function expected(logits: number[], options: SamplingOptions): number[] {
  const { temperature, topP, topK, minP = 0, typicalP = 1 } = options
  const peak = Math.max(...logits)
  const weight = (i: number) => Math.exp((Math.fround(logits[i] ?? 0) - Math.fround(peak)) / temperature)
  const sum = (tokens: number[]) => tokens.reduce((total, i) => total + weight(i), 0)
  const likeliestFirst = (a: number, b: number) => weight(b) - weight(a) || a - b
  const holding = (tokens: number[], share: number) => {
    const least = share * sum(tokens)
    const enough = tokens.findIndex((_, n) => sum(tokens.slice(0, n + 1)) >= least)
    return enough < 0 ? tokens : tokens.slice(0, enough + 1)
  }
  let kept = logits.map((_, i) => i).sort(likeliestFirst)
  kept = kept.slice(0, topK || kept.length)
  if (typicalP < 1) {
    const information = (i: number) => -Math.log(weight(i) / sum(kept))
    const entropy = kept.reduce((total, i) => total + (weight(i) / sum(kept)) * information(i), 0)
    const typical = kept.toSorted((a, b) => Math.abs(information(a) - entropy) - Math.abs(information(b) - entropy))
    kept = holding(typical, typicalP).sort(likeliestFirst)
  }
  if (topP < 1) kept = holding(kept, topP)
  kept = kept.filter((i) => weight(i) >= minP * weight(kept[0] ?? 0))
  return logits.map((_, i) => (kept.includes(i) ? weight(i) / sum(kept) : 0))
}

const LOGITS = [1, 3, -2, 2.5, 0, 3.2, -50, 1.5]
/** Of several blocks, the last of them not whole. */
const MANY = Array.from({ length: 333 }, (_, i) => Math.fround(9 * uniform(5, i) - 3 * uniform(6, i)))
for (const options of [
  {},
  { temperature: 0.5 },
  { temperature: 2 },
  { topK: 3 },
  { topP: 0.8 },
  { topP: 0.9, topK: 4, temperature: 1.3 },
  { minP: 0.2 },
  { minP: 0.1, topP: 0.9 },
  { minP: 0.4, topK: 5, temperature: 2 },
  { typicalP: 0.6 },
  { typicalP: 0.9, topP: 0.8, temperature: 1.5 },
  { typicalP: 0.5, topK: 4, minP: 0.1 },
]) {
  for (const logits of [LOGITS, MANY]) {
    test(`draws from ${logits.length} as the definition has it: ${JSON.stringify(options)}`, () => {
      const drawn = shares(logits, options)
      for (const [token, probability] of expected(logits, { ...FREE, ...options }).entries()) {
        assert.ok(
          Math.abs((drawn[token] ?? 0) - probability) < 3e-4,
          `token ${token}: ${drawn[token]} for ${probability}`,
        )
      }
    })
  }
}

test('temperature 0, top_k 1 and top_p 0 are greedy, the first of equals', () => {
  const logits = Float32Array.from([0, 5, 5, 1])
  const freezing = { temperature: 1e-310 }
  for (const greedy of [{ temperature: 0 }, { topK: 1 }, { topP: 0 }, freezing, { ...freezing, typicalP: 0.5 }]) {
    assert.equal(sample(logits, { ...FREE, ...greedy }, 0.99), 1)
  }
})

test('never leaves the allowed set, whatever the logits', () => {
  const logits = fc.array(fc.double({ min: -80, max: 80, noNaN: true }), { minLength: 1, maxLength: 40 })
  const options = fc.record({
    temperature: fc.double({ min: 0.01, max: 2, noNaN: true }),
    topP: fc.double({ min: 0, max: 1, noNaN: true }),
    topK: fc.nat(50),
    minP: fc.double({ min: 0, max: 1, noNaN: true }),
    typicalP: fc.double({ min: 0.01, max: 1, noNaN: true }),
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

test('a token of −∞ is never drawn', () => {
  const logits = Float32Array.from([1, Number.NEGATIVE_INFINITY, 1, Number.NEGATIVE_INFINITY])
  for (const options of [{}, { topP: 0.9 }, { topK: 3 }, { typicalP: 0.9 }, { minP: 0.1 }]) {
    for (let i = 0; i < 200; i++) assert.ok([0, 2].includes(sample(logits, { ...FREE, ...options }, uniform(1, i))))
  }
})

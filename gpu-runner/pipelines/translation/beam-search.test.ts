import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CANDIDATES } from '#models/architectures/published-translation.ts'
import { BeamSearch, type Hypothesis, type SearchOptions } from './beam-search.ts'

const [END, A, B, C, RESERVED] = [0, 21, 22, 23, 5]
type Language = (tokens: readonly number[]) => Readonly<Record<number, number>>

/** Searches a language that is told by the probabilities of what comes next. */
function search(language: Language, options: Partial<SearchOptions> = {}): readonly Hypothesis[] {
  const beam = options.beam ?? 2
  const all = {
    ...{ beam, wanted: 1, most: 8, required: new Set<number>(), apart: new Map<number, number>(), blank: B },
    isReserved: (token: number) => token <= 16 && token > 0,
  }
  const one = new BeamSearch({ ...all, ...options })
  let live: (readonly number[])[] = Array(beam).fill([])
  for (let step = 0; step < 100; step++) {
    const tokens = new BigInt64Array(beam * CANDIDATES)
    const scores = new Float32Array(beam * CANDIDATES).fill(-100)
    for (const [row, before] of live.entries()) {
      const next = Object.entries(language(before)).sort(([, p], [, q]) => q - p)
      for (let k = 0; k < CANDIDATES; k++) {
        const [token = '99', probability = 1e-30] = next[k] ?? []
        tokens[row * CANDIDATES + k] = BigInt(token)
        scores[row * CANDIDATES + k] = Math.log(probability)
      }
    }
    const continued = one.advance({ tokens, scores }, 0)
    if (!continued) return one.results()
    assert.equal(continued.length, beam)
    live = continued.map(({ parent, token }) => [...(live[parent] ?? []), token])
  }
  return assert.fail('the search does not end')
}

/** The first token that is likeliest leads to worse ones after it. */
const garden: Language = (tokens) => {
  const [first] = tokens
  if (tokens.length >= 2) return { [END]: 1 }
  if (first === undefined) return { [A]: 0.6, [B]: 0.4 }
  return first === A ? { [A]: 0.35, [B]: 0.35, [C]: 0.3 } : { [C]: 0.95, [A]: 0.05 }
}

test('a beam of one takes the likeliest token each time', () => {
  assert.deepEqual(search(garden, { beam: 1 })[0]?.tokens, [A, A])
})

test('a wider one finds what is likelier as a whole', () => {
  const [best, second] = search(garden, { wanted: 2 })
  assert.deepEqual(best?.tokens, [B, C])
  assert.ok(Math.abs((best?.score ?? 0) - Math.log(0.4 * 0.95)) < 1e-6)
  assert.deepEqual(second?.tokens, [A, A])
})

test('scores count by length', () => {
  const language: Language = (tokens) => (tokens.length === 0 ? { [END]: 0.5, [A]: 0.5 } : { [END]: 0.9, [A]: 0.1 })
  assert.deepEqual(search(language, { wanted: 2 })[0]?.tokens, [A])
})

test('one that does not end is ended', () => {
  for (const beam of [1, 3]) {
    const found = search(() => ({ [A]: 0.9, [B]: 0.1 }), { beam, most: 5 })
    assert.deepEqual(found[0]?.tokens, [A, A, A, A])
  }
})

test('reserved tokens come where they are required, once each, and what has them is better', () => {
  const language: Language = (tokens) =>
    tokens.length < 3 ? { [RESERVED]: 0.5, [A]: 0.3, [END]: 0.2 } : { [END]: 0.6, [RESERVED]: 0.4 }
  for (const { tokens } of search(language)) assert.ok(!tokens.includes(RESERVED))
  const [best] = search(language, { required: new Set([RESERVED]) })
  assert.equal(best?.tokens.filter((token) => token === RESERVED).length, 1)
})

test('what is to stand apart has words between', () => {
  const [open, close] = [5, 6]
  const language: Language = (tokens) => {
    const isDone = tokens.includes(open) && tokens.includes(close)
    if (isDone) return { [END]: 1 }
    return tokens.includes(open) ? { [close]: 0.6, [B]: 0.3, [A]: 0.1 } : { [open]: 1 }
  }
  const required = new Set([open, close])
  assert.deepEqual(search(language, { beam: 4, required })[0]?.tokens, [open, close])
  const [best] = search(language, { beam: 4, required, apart: new Map([[close, open]]) })
  assert.deepEqual(best?.tokens, [open, A, close])
  const turned: Language = (tokens) => (tokens.length === 0 ? { [close]: 0.9, [open]: 0.1 } : language(tokens))
  const [kept] = search(turned, { beam: 4, required, apart: new Map([[close, open]]) })
  assert.deepEqual(kept?.tokens, [open, A, close])
})

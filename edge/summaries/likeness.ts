/** How alike a text's sentences are: by vectors that a model made of them, or by their words. */

export interface Likeness {
  /** Of two sentences, by their places: 1 if they say the same, 0 if they have nothing in common. */
  between(a: number, b: number): number
  /** Of a sentence to the whole text. */
  toWhole(sentence: number): number
}

/** @param vectors of length 1 */
export function byVectors(vectors: readonly Float32Array[]): Likeness {
  const width = vectors[0]?.length ?? 0
  const whole = new Float32Array(width)
  for (const vector of vectors) for (const [i, x] of vector.entries()) whole[i] = (whole[i] ?? 0) + x
  const length = Math.hypot(...whole) || 1
  const product = (a: Float32Array | undefined, b: Float32Array) => b.reduce((sum, x, i) => sum + x * (a?.[i] ?? 0), 0)
  return {
    between: (a, b) => product(vectors[a], vectors[b] ?? new Float32Array(width)),
    toWhole: (sentence) => product(vectors[sentence], whole) / length,
  }
}

/**
 * Words by how often they are in a sentence and in how few others (TF-IDF, Spärck Jones 1972,
 * https://doi.org/10.1108/eb026526); likeness is the cosine, as in LexRank (Erkan and Radev 2004,
 * https://doi.org/10.1613/jair.1523).
 */
export function byWords(sentences: readonly string[]): Likeness {
  const counts = sentences.map((sentence) => {
    const count = new Map<string, number>()
    for (const [word] of sentence.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) count.set(word, (count.get(word) ?? 0) + 1)
    return count
  })
  const inSentences = new Map<string, number>()
  for (const count of counts) for (const word of count.keys()) inSentences.set(word, (inSentences.get(word) ?? 0) + 1)
  const weighted = counts.map((count) =>
    ofLengthOne(
      [...count].map(([word, n]) => [word, n * Math.log(1 + sentences.length / (inSentences.get(word) ?? 1))]),
    ),
  )
  const sum = new Map<string, number>()
  for (const weights of weighted) for (const [word, x] of weights) sum.set(word, (sum.get(word) ?? 0) + x)
  const whole = ofLengthOne([...sum])
  const product = (a: Weights | undefined, b: Weights | undefined) =>
    [...(a ?? [])].reduce((total, [word, x]) => total + x * (b?.get(word) ?? 0), 0)
  return {
    between: (a, b) => product(weighted[a], weighted[b]),
    toWhole: (sentence) => product(weighted[sentence], whole),
  }
}

type Weights = ReadonlyMap<string, number>

function ofLengthOne(weights: readonly (readonly [string, number])[]): Weights {
  const length = Math.hypot(...weights.map(([, x]) => x)) || 1
  return new Map(weights.map(([word, x]) => [word, x / length]))
}

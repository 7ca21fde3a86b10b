/** A summary of a text's own sentences. */
import type { EmbeddingsReply } from '#protocol/embeddings.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { SummaryAnswer } from '#protocol/summaries.ts'
import { vectorsOf } from '../embeddings/openai-embeddings.ts'
import { byVectors, byWords, type Likeness } from './likeness.ts'
import type { Sentence } from './sentences.ts'
import { type SummaryLength, select } from './select.ts'

/** A model takes no more than that of a text at once: so many characters are never more tokens than it has room for. */
const PIECE = 250

/** Makes vectors of texts. */
export type Embed = (inputs: string[]) => Promise<EmbeddingsReply>

/** Sentences in pieces that a model can take; a vector of a long sentence is that of its pieces together. */
export function piecesOf(sentences: readonly Sentence[]): string[][] {
  return sentences.map(({ text }) => {
    const characters = [...text.normalize('NFD')]
    const pieces: string[] = []
    for (let at = 0; at < characters.length; at += PIECE) pieces.push(characters.slice(at, at + PIECE).join(''))
    return pieces
  })
}

/** @throws what `embed` throws */
export async function compareByModel(
  pieces: readonly string[][],
  embed: Embed,
): Promise<{ likeness: Likeness; tokens: number }> {
  const all = pieces.flat()
  const vectors: Float32Array[] = []
  let tokens = 0
  for (let at = 0; at < all.length; at += LIMITS.embeddingInputs) {
    const inputs = all.slice(at, at + LIMITS.embeddingInputs)
    const reply = await embed(inputs)
    vectors.push(...vectorsOf(reply, inputs.length))
    tokens += reply.tokens
  }
  let next = 0
  const ofSentences = pieces.map(({ length }) => {
    next += length
    return together(vectors.slice(next - length, next))
  })
  return { likeness: byVectors(ofSentences), tokens }
}

export const compareByWords = (sentences: readonly Sentence[]): Likeness => byWords(sentences.map(({ text }) => text))

export function extract(
  sentences: readonly Sentence[],
  likeness: Likeness,
  length: SummaryLength,
  language: string,
): Pick<SummaryAnswer, 'summary' | 'sentences'> {
  const segmenter = new Intl.Segmenter(language, { granularity: 'word' })
  const words = sentences.map(({ text }) => [...segmenter.segment(text)].filter(({ isWordLike }) => isWordLike).length)
  const chosen = select(words, likeness, length).flatMap((i) => sentences[i] ?? [])
  return {
    summary: chosen.map(({ text }) => text).join(' '),
    sentences: chosen.map(({ text, start, end }) => ({ text, source: [{ start, end }] })),
  }
}

/** The direction of their sum. */
function together(vectors: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array(), ...rest] = vectors
  if (rest.length === 0) return first
  const sum = first.map((x, i) => rest.reduce((total, vector) => total + (vector[i] ?? 0), x))
  const length = Math.hypot(...sum) || 1
  return sum.map((x) => x / length)
}

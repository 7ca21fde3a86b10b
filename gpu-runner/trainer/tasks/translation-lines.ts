/** Pairs of sentences as the inputs of translation-plan.ts. */
import type { TranslationConfig } from '#models/architectures/translation.ts'
import { END } from '#models/tokenizer/translation-tokenizer.ts'
import type { Tensor } from '../../runtime/tensor.ts'
import type { PackedPair } from '../data/packing.ts'
import { type BatchShape, KEPT_ROWS } from '../plans/translation-plan.ts'
import type { Random } from '../random.ts'

type Tensors = Readonly<Record<string, Tensor>>

const integers = (inputs: Tensors, name: string): BigInt64Array => inputs[name]?.data as BigInt64Array
const floats = (inputs: Tensors, name: string): Float32Array => inputs[name]?.data as Float32Array

/** Fills what a batch reads. @param weight what each token counts; the mean over all if left out @returns tokens */
export function fillLines(
  inputs: Tensors,
  { sourceLength, targetLength }: BatchShape,
  lines: readonly (readonly PackedPair[])[],
  weight?: number,
): number {
  const side = (name: string, length: number) => {
    const [ids, places, sentences] = ['ids', 'places', 'sentences'].map((which) =>
      integers(inputs, `${name}.${which}`),
    ) as [BigInt64Array, BigInt64Array, BigInt64Array]
    ids.fill(BigInt(END))
    places.fill(0n)
    sentences.fill(-1n)
    return (at: number, tokens: readonly number[], sentence: number) => {
      for (const [i, token] of tokens.entries()) {
        ids[at + i] = BigInt(token)
        places[at + i] = BigInt(i)
        sentences[at + i] = BigInt(sentence)
      }
      if (Math.floor(at / length) !== Math.floor((at + tokens.length - 1) / length))
        throw new RangeError('a line is over')
    }
  }
  const [writeSource, writeTarget] = [side('source', sourceLength), side('target', targetLength)]
  const [next, weights] = [integers(inputs, 'next'), floats(inputs, 'weights')]
  const tokens = lines.flat().reduce((sum, { target }) => sum + target.length, 0)
  weights.fill(0)
  for (const [line, pairs] of lines.entries()) {
    let [from, to] = [line * sourceLength, line * targetLength]
    for (const [sentence, { source, target }] of pairs.entries()) {
      writeSource(from, source, sentence)
      writeTarget(to, [END, ...target.slice(0, -1)], sentence)
      for (const [i, token] of target.entries()) next[to + i] = BigInt(token)
      weights.fill(weight ?? 1 / tokens, to, to + target.length)
      from += source.length
      to += target.length
    }
  }
  return tokens
}

/** Draws what is left out: the rows once, and which of them each token takes for each step. */
export function fillKept(
  inputs: Tensors,
  { width }: TranslationConfig,
  rate: number,
  draw: Random,
  pick: Random,
): void {
  const kept = floats(inputs, 'kept')
  // They are the same at each step; what is drawn anew is who takes which.
  if (kept[0] === 0 && kept.every((x) => x === 0)) {
    for (let i = 0; i < KEPT_ROWS * width; i++) kept[i] = draw.uniform() < rate ? 0 : 1 / (1 - rate)
  }
  const picks = integers(inputs, 'picks')
  for (let i = 0; i < picks.length; i++) picks[i] = BigInt(pick.uint32() % KEPT_ROWS)
}

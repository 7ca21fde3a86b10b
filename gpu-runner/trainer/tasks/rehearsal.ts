/**
 * What a model knows, as pairs that it is reminded of while it is tuned (Robins 1995, doi:10.1080/09540099550039318): sentences
 * as it translates them before.
 */
import { loadTranslator } from '../../pipelines/translation/load-translator.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { SentencePair } from '../data/data-set.ts'
import type { Random } from '../random.ts'
import type { TranslationBase } from './translation-base.ts'

/** More would take longer to translate than they are worth. */
const MOST = 600

export interface Rehearsal {
  /** Pairs of an epoch, from 0: others each time, until all have been there. */
  of(epoch: number): readonly SentencePair[]
}

/** @param each pairs of an epoch, as far as there are so many */
export function rehearse(
  ort: Runtime,
  { parts, files, rehearsal }: TranslationBase,
  { each, epochs, random }: { readonly each: number; readonly epochs: number; readonly random: Random },
): Rehearsal {
  const order = random.shuffle(Uint32Array.from(rehearsal, (_, i) => i))
  const sources = Array.from(order.subarray(0, Math.min(MOST, each * epochs)), (i) => rehearsal[i] ?? '')
  if (sources.length === 0) return { of: () => [] }
  using translator = loadTranslator(ort, parts, files)
  const translations = translator.translate(sources, { beam: 1, alternatives: 0, isWanted: () => true }) ?? []
  const pairs = translations
    .map(({ text }, i) => ({ source: sources[i] ?? '', target: text }))
    .filter(({ source, target }) => target !== '' && target !== source)
  const count = Math.min(each, pairs.length)
  return {
    of: (epoch) => Array.from({ length: count }, (_, i) => pairs[(epoch * count + i) % pairs.length] as SentencePair),
  }
}

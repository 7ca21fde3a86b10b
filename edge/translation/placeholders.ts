/** Between a sentence and the text that a model gets: what is kept is a placeholder there, and has to come back just once. */
import { placeholder } from '#protocol/translation.ts'
import type { Encode, Kept, Part } from './pieces.ts'

const PLACEHOLDER = /⟦\s*(\d+)\s*⟧/g

/** Spaces are single ones. */
export function toModel(parts: readonly Part[]): string {
  let index = 0
  return parts
    .map((part) => (typeof part === 'string' ? part : placeholder(index++)))
    .join('')
    .replaceAll(/\s+/g, ' ')
}

/** The translation with what is kept in its places; undefined if that is not all there, just once, tags nested as they were. */
export function fromModel(translation: string, parts: readonly Part[], encode: Encode): string | undefined {
  const kept = parts.filter((part): part is Kept => typeof part === 'object')
  const order: number[] = []
  let text = ''
  let from = 0
  for (const { index, 0: span, 1: number } of translation.matchAll(PLACEHOLDER)) {
    const place = Number(number)
    const put = kept[place]
    if (!put || order.includes(place)) return undefined
    order.push(place)
    text += encode(translation.slice(from, index)) + put.text
    from = index + span.length
  }
  const rest = translation.slice(from)
  if (order.length !== kept.length || /[⟦⟧]/.test(translation.replaceAll(PLACEHOLDER, ''))) return undefined
  return isNested(kept, order) ? text + encode(rest) : undefined
}

/** Of a translation of words alone, without placeholders that nobody asked for. */
export const wordsFromModel = (translation: string, encode: Encode): string =>
  encode(translation.replaceAll(/\s*⟦[^⟦⟧]*⟧|[⟦⟧]/g, ''))

/** Whether tags in this order close what they closed before, and open and close as many that go beyond the sentence. */
function isNested(kept: readonly Kept[], order: readonly number[]): boolean {
  const { pairs, closing, opening } = pairsOf(kept)
  const stack = [...closing].reverse()
  for (const place of order) {
    const { tag } = kept[place] ?? {}
    if (tag === 'open') stack.push(place)
    else if (tag === 'close' && stack.pop() !== (pairs.get(place) ?? place)) return false
  }
  return stack.length === opening.length && stack.every((place, i) => place === opening[i])
}

/** Which tag each closing one closes; those that close and open what is not in the sentence. By their places. */
function pairsOf(kept: readonly Kept[]) {
  const pairs = new Map<number, number>()
  const closing: number[] = []
  const opening: number[] = []
  for (const [place, { tag }] of kept.entries()) {
    if (tag === 'open') opening.push(place)
    else if (tag === 'close') {
      const opened = opening.pop()
      if (opened === undefined) closing.push(place)
      else pairs.set(place, opened)
    }
  }
  return { pairs, closing, opening }
}

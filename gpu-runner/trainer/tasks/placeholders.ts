/**
 * Spans that are the same in a sentence and its translation (numbers, addresses, names of files, `%s`, `<tag>`) as
 * placeholders, so that a model learns to put one where what it stands for belongs.
 */
import { PLACEHOLDERS, placeholder } from '#protocol/translation.ts'
import type { SentencePair } from '../data/data-set.ts'
import type { Random } from '../random.ts'

/** What is taken as one span: a mark-up tag, an address, a format, something with signs inside, a name, or a number. */
const SPAN = /<[^<>]+>|https?:\/\/\S+|%\w|\{\w*\}|[\w-]+(?:[./_][\w-]+)+|\$\w+|\d+(?:[.,]\d+)*|\p{Lu}[\w-]+/gu

/** Spans that are on both sides, each once there. */
export function commonSpans({ source, target }: SentencePair): readonly string[] {
  const once = (text: string) => {
    const found: readonly string[] = text.match(SPAN) ?? []
    return found.filter((span) => found.indexOf(span) === found.lastIndexOf(span) && text.split(span).length === 2)
  }
  const there = new Set(once(target))
  return once(source).filter((span) => there.has(span))
}

/** The pair with some of its spans as placeholders, whose numbers are drawn; undefined if it has no such span. */
export function withPlaceholders(pair: SentencePair, random: Random): SentencePair | undefined {
  const spans = commonSpans(pair).filter(() => random.uniform() < 0.7)
  if (spans.length === 0) return undefined
  const numbers = shuffled(random)
  const replaced = (text: string) => {
    // By position, so that a number is not found in a placeholder.
    const places = spans
      .slice(0, PLACEHOLDERS)
      .map((span, i) => ({ at: text.indexOf(span), span, number: numbers[i] ?? 0 }))
    let [out, from] = ['', 0]
    for (const { at, span, number } of places.sort((a, b) => a.at - b.at)) {
      if (at < from) return undefined
      out += text.slice(from, at) + placeholder(number)
      from = at + span.length
    }
    return out + text.slice(from)
  }
  const [source, target] = [replaced(pair.source), replaced(pair.target)]
  return source !== undefined && target !== undefined ? { source, target } : undefined
}

/** A pair that has placeholders already, with other numbers. */
export function renumbered({ source, target }: SentencePair, random: Random): SentencePair {
  const numbers = shuffled(random)
  const other = (text: string) =>
    text.replace(PLACEHOLDER, (_, index: string) => placeholder(numbers[Number(index)] ?? 0))
  return { source: other(source), target: other(target) }
}

const PLACEHOLDER = /⟦(\d+)⟧/g

const shuffled = (random: Random): Uint32Array =>
  random.shuffle(Uint32Array.from({ length: PLACEHOLDERS }, (_, i) => i))

/**
 * A glossary's terms in running text. A term that is found is kept out of the translation, and what the glossary has for it
 * stands in its place: so it is always there, but is not inflected.
 */
import { type Encode, type Part, plain } from './pieces.ts'

/** Source terms and their translations. */
export type Terms = ReadonlyMap<string, string>

/** Puts what `terms` has in the place of each term that is a whole word, or several; the longest first. */
export class TermFinder {
  /** By their first letter, each with what stands in its place, the longest first. */
  readonly #terms = new Map<string, (readonly [source: string, target: string])[]>()

  constructor(terms: Terms) {
    for (const [source, target] of terms) {
      this.#add(source, target)
      // It may begin a sentence.
      const capital = capitalised(source)
      if (!terms.has(capital)) this.#add(capital, capitalised(target))
    }
    for (const some of this.#terms.values()) some.sort(([a], [b]) => b.length - a.length)
  }

  #add(source: string, target: string): void {
    const first = source.charAt(0)
    const some = this.#terms.get(first) ?? []
    some.push([source, target])
    this.#terms.set(first, some)
  }

  apply(parts: readonly Part[], encode: Encode = plain): Part[] {
    if (this.#terms.size === 0) return [...parts]
    return parts.flatMap((part) => (typeof part === 'string' ? this.#split(part, encode) : [part]))
  }

  #split(text: string, encode: Encode): Part[] {
    const parts: Part[] = []
    let from = 0
    for (let at = 0; at < text.length; at++) {
      const found = this.#at(text, at)
      if (!found) continue
      const [source, target] = found
      if (at > from) parts.push(text.slice(from, at))
      parts.push({ text: encode(target) })
      from = at + source.length
      at = from - 1
    }
    if (from < text.length) parts.push(text.slice(from))
    return parts
  }

  #at(text: string, at: number) {
    const some = this.#terms.get(text.charAt(at))
    if (!some || /[\p{L}\p{N}\p{M}_]$/u.test(text.slice(Math.max(0, at - 2), at))) return undefined
    return some.find(([source]) => {
      const end = at + source.length
      return text.startsWith(source, at) && !/^[\p{L}\p{N}\p{M}_]/u.test(text.slice(end, end + 2))
    })
  }
}

function capitalised(term: string): string {
  const [first = ''] = term
  return first.toUpperCase() + term.slice(first.length)
}

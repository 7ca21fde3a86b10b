/**
 * A glossary's terms in running text. A term that is found is kept out of the translation, and what the glossary has for it
 * stands in its place: so it is always there, but is not inflected.
 */
import { type Encode, type Part, plain } from './pieces.ts'

/** Source terms and their translations. */
export type Terms = ReadonlyMap<string, string>

/** Puts what `terms` has in the place of each term that is a whole word, or several; the longest first. */
export class TermFinder {
  readonly #terms: Terms
  readonly #pattern: RegExp | null

  constructor(terms: Terms) {
    this.#terms = terms
    const sources = [...terms.keys()].sort((a, b) => b.length - a.length)
    const alternatives = sources.flatMap((term) => [term, ...capitalised(term)]).map(RegExp.escape)
    const word = String.raw`[\p{L}\p{N}\p{M}_]`
    this.#pattern =
      alternatives.length > 0 ? new RegExp(`(?<!${word})(?:${alternatives.join('|')})(?!${word})`, 'gu') : null
  }

  apply(parts: readonly Part[], encode: Encode = plain): Part[] {
    return parts.flatMap((part) => (typeof part === 'string' ? this.#split(part, encode) : [part]))
  }

  #split(text: string, encode: Encode): Part[] {
    if (!this.#pattern) return [text]
    const parts: Part[] = []
    let from = 0
    for (const { index, 0: found } of text.matchAll(this.#pattern)) {
      if (index > from) parts.push(text.slice(from, index))
      parts.push({ text: encode(this.#targetOf(found)) })
      from = index + found.length
    }
    if (from < text.length) parts.push(text.slice(from))
    return parts
  }

  #targetOf(found: string): string {
    const exact = this.#terms.get(found)
    if (exact !== undefined) return exact
    // It begins a sentence.
    const target = this.#terms.get(uncapitalised(found)) ?? found
    return capitalised(target)[0] ?? target
  }
}

/** With a first letter in capitals, if it has another. */
function capitalised(term: string): string[] {
  const [first = ''] = term
  const capital = first.toUpperCase()
  return capital === first ? [] : [capital + term.slice(first.length)]
}

function uncapitalised(term: string): string {
  const [first = ''] = term
  return first.toLowerCase() + term.slice(first.length)
}

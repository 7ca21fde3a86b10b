/**
 * Words that somebody wants translated their way: they go through the model as placeholders, and come out as what they are
 * to be.
 */
import { PLACEHOLDERS, placeholder } from '#protocol/translation.ts'

export interface Term {
  readonly source: string
  readonly target: string
}

export interface Marked {
  /** With a placeholder for each term that was found. */
  readonly text: string
  /** A translation with the terms in their places. */
  readonly restore: (translation: string) => string
}

/** A function that finds the terms of a glossary in texts: whole words, in any case, the longest first. */
export function glossaryMarker(terms: readonly Term[]): (text: string) => Marked {
  if (terms.length === 0) return (text) => ({ text, restore: (translation) => translation })
  // Of one source, the last one holds.
  const targets = new Map(terms.map(({ source, target }) => [source.toLowerCase(), target]))
  const sources = [...targets.keys()].sort((a, b) => b.length - a.length)
  const words = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${sources.map(RegExp.escape).join('|')})(?![\\p{L}\\p{N}_])`, 'giu')
  return (text) => {
    const free = Array.from({ length: PLACEHOLDERS }, (_, i) => placeholder(i)).filter((mark) => !text.includes(mark))
    const replaced: (readonly [mark: string, target: string])[] = []
    const marked = text.replace(words, (found) => {
      const mark = free[replaced.length]
      const target = targets.get(found.toLowerCase())
      // There are no more placeholders than that.
      if (mark === undefined || target === undefined) return found
      replaced.push([mark, inCaseOf(found, target, found === found.toLowerCase())])
      return mark
    })
    const restore = (translation: string) =>
      replaced.reduce((written, [mark, target]) => written.replaceAll(mark, () => target), translation)
    return { text: marked, restore }
  }
}

/** A term with a capital where the glossary has none, as at the beginning of a sentence, has one in the translation too. */
function inCaseOf(found: string, target: string, isLower: boolean): string {
  const [first = '', second = ''] = found
  const isCapital = !isLower && first !== first.toLowerCase() && second === second.toLowerCase()
  return isCapital ? target.charAt(0).toUpperCase() + target.slice(1) : target
}

/**
 * Holds a summary to the words of what it is of, and to small ones that any text has: a small model then says what the
 * text says, or at least nothing that it does not name.
 */
import type { GenerationConstraint } from '#protocol/generation.ts'

/** Small words that a summary may need although the text has none of them; those of other languages come from the text. */
const ENGLISH =
  'A An The This That These Those It They He She We In On At To Of For By With From As After Before When While Who Which Where And Or But Not ' +
  'Is Are Was Were Be Been Has Have Had Will Would Its Their His Her'

/** @param language BCP 47 */
export function inWordsOf(text: string, language: string): GenerationConstraint {
  const words = new Set(text.match(/[\p{L}\p{N}](?:[^\s]*[\p{L}\p{N}%€$])?/gu) ?? [])
  if (/^en\b/i.test(language)) {
    for (const word of ENGLISH.split(' ')) words.add(word).add(word.toLowerCase())
  }
  const word = `(?:${[...words].sort().map(escaped).join('|')})`
  return { type: 'regex', pattern: `${word}(?:[,.;:]? ${word})*[.!?]` }
}

function escaped(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

/**
 * What in running text comes through a translation as it is: placeholders of programs, addresses, code, tags, emoji, and
 * words of a script that the language is not written in.
 */
import type { Part } from './pieces.ts'
import { hasSpaces, scriptsOf } from './scripts.ts'

/** In this order: where several begin at one place, the first of them is meant. Each looks at a character a few times at most. */
const PATTERNS = [
  // Placeholders of our own in the text would be taken for those of its translation.
  String.raw`⟦[^⟦⟧\n]*⟧|[⟦⟧]`,
  // Code, as Markdown has it.
  '```[^`]*```|`[^`\\n]+`',
  String.raw`\b(?:https?|ftps?|file|ssh|git|wss?):\/\/[^\s<>"'⟦⟧\x60]*[^\s<>"'⟦⟧\x60.,;:!?\)\]\}»”’]`,
  String.raw`\b(?:mailto|tel):[^\s<>"'⟦⟧]*[^\s<>"'⟦⟧.,;:!?\)\]\}]`,
  String.raw`\bwww\.[^\s<>"'⟦⟧]*[^\s<>"'⟦⟧.,;:!?\)\]\}]`,
  String.raw`(?<![\w.+\-])[\w.+\-]{1,64}@[a-zA-Z\d\-]{1,63}(?:\.[a-zA-Z\d\-]{1,63})+`,
  // {{count}}, ${x}, %{name}, %(name)s, {name}, {n, plural, one {# file} other {# files}}.
  String.raw`\{\{[^\{\}\n]*\}\}`,
  String.raw`[$%#]?\{(?:[^\{\}\n]|\{[^\{\}\n]{0,200}\})*\}`,
  String.raw`%\([\w.]{1,64}\)[#0+\-]?\d*(?:\.\d+)?[a-zA-Z]`,
  // %s, %1$d, %-5.2f, %lu; "100 % of" is none.
  String.raw`(?<!\d)%(?:\d+\$)?[+\-#0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh?|ll?|[Lqjzt])?[diouxXeEfFgGaAcspn@](?![a-z])|%%`,
  String.raw`<\/?[a-zA-Z][^<>]*>`,
  String.raw`&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-zA-Z]\w{1,30});`,
  String.raw`\p{RGI_Emoji}`,
]
/** A longer run without a space is no word of a language that has spaces. */
const LONGEST_WORD = 100

const patterns = new Map<string, RegExp>()

/** `text` in parts. @param language ISO 639-1 */
export function keptApart(text: string, language: string): Part[] {
  const parts: Part[] = []
  let from = 0
  for (const { index, 0: span } of text.matchAll(patternOf(language))) {
    if (index > from) parts.push(text.slice(from, index))
    parts.push({ text: span })
    from = index + span.length
  }
  if (from < text.length) parts.push(text.slice(from))
  return parts
}

function patternOf(language: string): RegExp {
  let pattern = patterns.get(language)
  if (!pattern) {
    const own = scriptsOf(language).map((script) => String.raw`\p{Script=${script}}`)
    const foreign = String.raw`[\p{L}--[${own.join('')}\p{Script=Common}\p{Script=Inherited}]]`
    const all = [
      ...PATTERNS,
      ...(hasSpaces(language) ? [String.raw`[^\s⟦⟧]{${LONGEST_WORD + 1},}`] : []),
      // Also several words of it, with what is between them.
      String.raw`${foreign}[\p{M}\p{Cf}]*(?:[\p{P}\p{Zs}]{0,3}${foreign}[\p{M}\p{Cf}]*)*`,
    ]
    pattern = new RegExp(all.join('|'), 'gv')
    patterns.set(language, pattern)
  }
  return pattern
}

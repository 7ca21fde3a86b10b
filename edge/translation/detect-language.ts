/** Which language a text is in: n-grams that are typical of sixty languages (ELD, https://github.com/nitotm/efficient-language-detector-js). */
import { eld } from 'eld/extrasmall'

export interface Detected {
  /** ISO 639-1. */
  readonly language: string
  /** 0 to 1; 0 if nothing speaks for any language. */
  readonly confidence: number
}

/** A language that is not asked for has to be this much likelier. */
const MARGIN = 1.15
/** What says nothing of a language. */
const SILENT = /<[^<>]*>|https?:\/\/\S+|\S+@\S+|[{}%$`⟦⟧\d]+/g

/** The likeliest first. */
export function detectLanguages(text: string): Detected[] {
  const result = eld.detect(text.slice(0, 2000).replaceAll(SILENT, ' '))
  return Object.entries(result.getScores())
    .map(([language, confidence]) => ({ language, confidence }))
    .sort((a, b) => b.confidence - a.confidence)
}

/**
 * The likeliest of `languages`, which are what can be translated; another only if much more speaks for it. A text that says
 * nothing is in the first of them.
 */
export function detectAmong(text: string, languages: readonly string[]): Detected {
  const all = detectLanguages(text)
  const [likeliest] = all
  const best = all.find(({ language }) => languages.includes(language))
  if (!likeliest) return { language: languages[0] ?? 'en', confidence: 0 }
  return best && best.confidence * MARGIN >= likeliest.confidence ? best : likeliest
}

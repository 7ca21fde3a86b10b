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
/** Fewer tell too little to gainsay what is asked for. */
const LEAST_LETTERS = 12
/** What says nothing of a language. */
const SILENT = /<[^<>]*>|\{[^{}]*\}|https?:\/\/\S+|\S+@\S+|%\w|[{}%$`⟦⟧\d]+/g

/** The likeliest first. */
export const detectLanguages = (text: string): Detected[] => guess(text).all

/**
 * The likeliest of `languages`, which are what can be translated; another only if much more speaks for it, and reliably so. A
 * text that says too little is in the first of them.
 */
export function detectAmong(text: string, languages: readonly string[]): Detected {
  const { all, isReliable } = guess(text)
  const isLong = (text.match(/\p{L}/gu) ?? []).length >= LEAST_LETTERS
  const [likeliest] = all
  const best = all.find(({ language }) => languages.includes(language)) ?? {
    language: languages[0] ?? 'en',
    confidence: 0,
  }
  return likeliest && isReliable && isLong && best.confidence * MARGIN < likeliest.confidence ? likeliest : best
}

function guess(text: string): { all: Detected[]; isReliable: boolean } {
  const result = eld.detect(text.slice(0, 2000).replaceAll(SILENT, ' '))
  const all = Object.entries(result.getScores()).map(([language, confidence]) => ({ language, confidence }))
  return { all: all.sort((a, b) => b.confidence - a.confidence), isReliable: result.isReliable() }
}

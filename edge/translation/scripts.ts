/** Which scripts languages are written in (Unicode's names); those that are not listed are in Latin script. */
const SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  ar: ['Arabic'],
  be: ['Cyrillic'],
  bg: ['Cyrillic'],
  el: ['Greek'],
  fa: ['Arabic'],
  he: ['Hebrew'],
  hi: ['Devanagari'],
  ja: ['Han', 'Hiragana', 'Katakana'],
  ka: ['Georgian'],
  kk: ['Cyrillic'],
  ko: ['Hangul', 'Han'],
  mk: ['Cyrillic'],
  ru: ['Cyrillic'],
  sr: ['Cyrillic', 'Latin'],
  ta: ['Tamil'],
  th: ['Thai'],
  uk: ['Cyrillic'],
  ur: ['Arabic'],
  zh: ['Han'],
}

/** @param language ISO 639-1 */
export const scriptsOf = (language: string): readonly string[] => SCRIPTS[language] ?? ['Latin']
/** Whether words are told apart by spaces. */
export const hasSpaces = (language: string): boolean => !['ja', 'th', 'zh'].includes(language)

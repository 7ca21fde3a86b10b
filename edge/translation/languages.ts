/** Languages by their codes: ISO 639-1 within, in capitals and with a region where DeepL tells variants apart. */

const NAMES = new Intl.DisplayNames('en', { type: 'language', languageDisplay: 'standard' })
/** Targets that DeepL has instead of the bare language; a model here has one kind of each language, whichever is asked for. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  en: ['EN-GB', 'EN-US'],
  pt: ['PT-BR', 'PT-PT'],
  zh: ['ZH-HANS', 'ZH-HANT'],
}
const VARIANT_NAMES: Readonly<Record<string, string>> = {
  'EN-GB': 'English (British)',
  'EN-US': 'English (American)',
  'PT-BR': 'Portuguese (Brazilian)',
  'PT-PT': 'Portuguese (European)',
  'ZH-HANS': 'Chinese (simplified)',
  'ZH-HANT': 'Chinese (traditional)',
}

/** `en` of `EN-US`. */
export const baseOf = (code: string): string => code.split('-', 1)[0]?.toLowerCase() ?? ''

export const nameOf = (language: string): string => NAMES.of(language) ?? language

/** As DeepL lists what can be translated into a language. */
export function targetsOf(language: string): { language: string; name: string }[] {
  const codes = VARIANTS[language] ?? [language.toUpperCase()]
  return codes.map((code) => ({ language: code, name: VARIANT_NAMES[code] ?? nameOf(language) }))
}

/** Whether a language is known by this code, with a region that it may have. */
export const isTarget = (code: string): boolean => {
  const [, region] = code.split('-', 2)
  return region === undefined || (VARIANTS[baseOf(code)] ?? []).includes(code.toUpperCase())
}

/** DeepL's `preserve_formatting`: a translation ends with the same mark as its text, and begins with a letter of the same case. */

const END = /[.!?…。！？:;]+$/u

export function keepFormat(source: string, translation: string): string {
  const wanted = END.exec(source)?.[0] ?? ''
  const bare = translation.replace(END, '')
  const words = wanted === '' ? bare.trimEnd() : bare
  return `${recased(source, words)}${wanted}`
}

function recased(source: string, translation: string): string {
  const [given = ''] = source
  const [first = ''] = translation
  if (isLower(given) && !isLower(first)) return first.toLowerCase() + translation.slice(first.length)
  if (isUpper(given) && !isUpper(first)) return first.toUpperCase() + translation.slice(first.length)
  return translation
}

const isLower = (letter: string): boolean => /^\p{Ll}$/u.test(letter)
const isUpper = (letter: string): boolean => /^\p{Lu}$/u.test(letter)

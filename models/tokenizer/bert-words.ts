/**
 * How BERT cuts text into words: `BertNormalizer` and `BertPreTokenizer` of Hugging Face's tokenizers, which follow
 * BERT's own tokenization.py.
 */

export interface WordRules {
  /** Leaves out control characters. */
  readonly clean: boolean
  /** An ideograph is a word by itself. */
  readonly separateIdeographs: boolean
  readonly stripAccents: boolean
  readonly lowercase: boolean
}

const ASCII = /^[\t\n\r -~]*$/
const CONTROL = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\ufffd]/gu
const ACCENT = /\p{Mn}/gu
/** CJK's blocks of ideographs, one of which begins later than in Unicode as it does in BERT's own code. */
const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu
/** A punctuation mark is a word; ASCII's symbols are taken for such. */
const WORD = /[!-/:-@[-`{-~\p{P}]|[^!-/:-@[-`{-~\p{P}\p{White_Space}]+/gu
const ASCII_WORD = /[!-/:-@[-`{-~]|[a-zA-Z0-9]+/g

/** A well-formed text's words, as they are looked up. */
export function bertWords(text: string, rules: WordRules): readonly string[] {
  if (ASCII.test(text)) return (rules.lowercase ? text.toLowerCase() : text).match(ASCII_WORD) ?? []
  let normal = text
  if (rules.clean) normal = normal.replace(CONTROL, '')
  if (rules.separateIdeographs) normal = normal.replace(IDEOGRAPH, ' $& ')
  if (rules.stripAccents) normal = normal.normalize('NFD').replace(ACCENT, '')
  // A letter by itself, so that a sigma at the end of a word is one like any other.
  if (rules.lowercase) normal = normal.replaceAll('Σ', 'σ').toLowerCase()
  return normal.match(WORD) ?? []
}

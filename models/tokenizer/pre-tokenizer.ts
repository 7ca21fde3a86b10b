/**
 * How text is cut into pieces before byte-pair encoding, by the names that GGUF has for it (`tokenizer.ggml.pre`).
 *
 * The expressions are those of llama.cpp's `llama-vocab.cpp`; white space is Unicode's, as there, which JavaScript's
 * `\s` is not quite. Each cuts what the one before it left, and what lies between two matches is a piece as well.
 */
import { TokenizerError } from './tokenizer-error.ts'

const S = String.raw`\p{White_Space}`
const L = String.raw`\p{L}`
const N = String.raw`\p{N}`
const REST = String.raw`${S}+(?!\P{White_Space})|${S}+`

const GPT2 = `'s|'t|'re|'ve|'m|'ll|'d| ?${L}+| ?${N}+| ?[^${S}${L}${N}]+|${REST}`
/** Llama 3's and Qwen 2's, which differ in how many digits stand together. */
const words = (digits: string) =>
  [
    "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]",
    String.raw`[^\r\n${L}${N}]?${L}+`,
    digits,
    String.raw` ?[^${S}${L}${N}]+[\r\n]*`,
    String.raw`${S}*[\r\n]+`,
    REST,
  ].join('|')

interface PreTokenizer {
  readonly expressions: readonly string[]
  /** What llama.cpp takes for this kind where the metadata does not say. */
  readonly addBos?: true
  readonly ignoreMerges?: true
}
const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map(
  Object.entries({
    default: { expressions: [String.raw`[\p{P}\$\+<=>\^~\|]+`, GPT2, `${N}+`, '[0-9][0-9][0-9]'] },
    'gpt-2': { expressions: [GPT2] },
    smollm: { expressions: [N, GPT2] },
    'llama-bpe': { expressions: [words(`${N}{1,3}`)], addBos: true, ignoreMerges: true },
    qwen2: { expressions: [words(N)] },
  }),
)

export interface TextSplitter {
  readonly split: (text: string) => readonly string[]
  readonly addBos: boolean
  readonly ignoreMerges: boolean
}

/** Throws TokenizerError for a name that is not known here. */
export function textSplitter(name: string): TextSplitter {
  const found = PRE_TOKENIZERS.get(name)
  if (!found) {
    const known = [...PRE_TOKENIZERS.keys()].join(', ')
    throw new TokenizerError('unknown_tokenizer', `the pre-tokenizer ${name} is not known here (known: ${known})`)
  }
  const expressions = found.expressions.map((source) => new RegExp(source, 'gu'))
  return {
    split: (text) =>
      expressions.reduce((pieces, expression) => pieces.flatMap((piece) => cut(piece, expression)), [text]),
    addBos: found.addBos ?? false,
    ignoreMerges: found.ignoreMerges ?? false,
  }
}

/** The matches, and what lies between them. */
function cut(text: string, expression: RegExp): string[] {
  const pieces: string[] = []
  let end = 0
  for (const { 0: match, index } of text.matchAll(expression)) {
    if (index > end) pieces.push(text.slice(end, index))
    pieces.push(match)
    end = index + match.length
  }
  if (end < text.length) pieces.push(text.slice(end))
  return pieces
}

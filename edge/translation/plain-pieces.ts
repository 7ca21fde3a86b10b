/** Takes running text without mark-up apart into sentences. */
import { keptApart } from './kept-spans.ts'
import { type Encode, type Part, type Piece, plain } from './pieces.ts'
import { type SentenceOptions, sentencePieces } from './sentence-pieces.ts'

export interface PlainOptions extends Omit<SentenceOptions, 'encode'> {
  /** What else is kept of running text: a glossary's terms. */
  readonly keep: (parts: readonly Part[], encode: Encode) => Part[]
}

export const plainPieces = (text: string, options: PlainOptions): Piece[] =>
  sentencePieces(options.keep(keptApart(text, options.language), plain), { ...options, encode: plain })

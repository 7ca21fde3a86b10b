/** A summary in a language model's words: pieces of the text first, then what was said of them together. */
import type { ChatTurn } from '#protocol/generation.ts'
import { chunksOf } from './chunks.ts'
import type { SummaryLength } from './select.ts'
import type { Sentence } from './sentences.ts'

/** Tokens that a sentence, a word, and a template around the text may take. */
const SENTENCE = 64
const WORD = 2
const FRAME = 160
/** Words of a sentence. */
const WORDS = 20
/** Tokens of a piece: small models lose the thread of longer ones. */
const PIECE = 400
/** Of a context, the share that an answer may take. */
const ANSWER = 0.25
/** Pieces that are read at once. */
const AT_ONCE = 4

export interface Reader {
  /** Tokens that prompt and answer may have together. */
  readonly contextLength: number
  tokensOf(text: string): number
  /** What is said of a text when it is asked for so. */
  answer(messages: readonly ChatTurn[], text: string, maxTokens: number): Promise<string>
}

export interface Reading {
  /** Pieces that are read, of so many that are known of. */
  readonly done: number
  readonly total: number
}

/** Tokens of an answer, and of the piece that it is of. */
export function boundsOf(length: SummaryLength, contextLength: number): { maxTokens: number; room: number } {
  const wanted = 'words' in length ? length.words * WORD + SENTENCE : length.sentences * SENTENCE
  const maxTokens = Math.max(SENTENCE, Math.min(wanted, Math.floor(contextLength * ANSWER)))
  return { maxTokens, room: Math.max(SENTENCE, Math.min(PIECE, contextLength - maxTokens - FRAME)) }
}

/**
 * Long texts in rounds: each piece is said in a sentence or more, until what was said is one piece, or no more than is
 * wanted.
 * @returns the summary, before it is looked at whether the text supports it
 * @throws what the reader throws
 */
export async function* abstract(
  sentences: readonly Sentence[],
  length: SummaryLength,
  reader: Reader,
): AsyncGenerator<Reading, string> {
  const { room } = boundsOf(length, reader.contextLength)
  const wanted = 'words' in length ? Math.ceil(length.words / WORDS) : length.sentences
  let texts = sentences.map(({ text }) => text)
  let done = 0
  for (;;) {
    const pieces = chunksOf(texts, room, reader.tokensOf)
    const ofPiece = pieces.length <= 1 ? length : { sentences: Math.max(1, Math.floor(wanted / pieces.length)) }
    const last = pieces.length <= wanted
    const total = done + pieces.length + (last ? 0 : 1)
    const { maxTokens } = boundsOf(ofPiece, reader.contextLength)
    yield { done, total }
    const said: string[] = []
    for (let at = 0; at < pieces.length; at += AT_ONCE) {
      const some = pieces.slice(at, at + AT_ONCE)
      said.push(...(await Promise.all(some.map((text) => reader.answer(asking(text, ofPiece), text, maxTokens)))))
      done += some.length
      yield { done, total }
    }
    // Answers that are as long as what they are of would go on for ever.
    if (last || chunksOf(said, room, reader.tokensOf).length >= pieces.length) return said.join('\n\n')
    texts = said
  }
}

function asking(text: string, length: SummaryLength): ChatTurn[] {
  const bound = 'words' in length ? `at most ${length.words} words` : sentencesIn(length.sentences)
  return [
    {
      role: 'system',
      content: `Summarise the user's text in ${bound}. Keep to what it says and to its words, names and numbers. Answer with the summary alone.`,
    },
    { role: 'user', content: text },
  ]
}

function sentencesIn(count: number): string {
  return count === 1 ? 'one sentence' : `${count} sentences`
}

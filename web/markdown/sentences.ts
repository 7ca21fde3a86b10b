/** An answer cut into what a screen reader says at a time: whole sentences, without the marks of markdown. */
import { text } from '../text.ts'

/** An end that is surely one: a stop with space after it, or the end of a line. */
const SENTENCE = /^[\s\S]*?(?:[.!?…]["'”’)\]]*\s|[。！？]|\n)/
const FENCE = /^\s*(?:```|~~~)/

/** Gives each sentence once, when it has ended. A code block is said to be there, not read out. */
export class SentenceReader {
  #read = 0
  #inCode = false

  /** @param answer all of the answer so far. */
  next(answer: string): readonly string[] {
    const sentences: string[] = []
    for (;;) {
      const match = SENTENCE.exec(answer.slice(this.#read))
      if (!match) return sentences
      this.#read += match[0].length
      this.#take(match[0], sentences)
    }
  }

  /** What is left when the answer has ended. */
  rest(answer: string): readonly string[] {
    const sentences = [...this.next(answer)]
    this.#take(answer.slice(this.#read), sentences)
    this.#read = answer.length
    return sentences
  }

  #take(raw: string, sentences: string[]): void {
    if (FENCE.test(raw)) {
      this.#inCode = !this.#inCode
      // An opening fence is told; what stands on its own line is told by its end.
      if (this.#inCode) sentences.push(text.live.codeBlock)
      return
    }
    const plain = spoken(raw)
    if (!this.#inCode && plain) sentences.push(plain)
  }
}

/** Without headings' hashes, emphasis, list marks, table bars and the addresses of links. */
export function spoken(raw: string): string {
  return raw
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^\s*(?:#{1,6}\s+|>\s+|[-*+]\s+)/, '')
    .replace(/\*\*|__|`|~~|\*(?=\S)|(?<=\S)\*/g, '')
    .replace(/^\s*\|?[\s|:-]+\|?\s*$/, '')
    .replace(/\|/g, ', ')
    .replace(/\s+/g, ' ')
    .replace(/^[,\s]+|[,\s]+$/g, '')
    .trim()
}

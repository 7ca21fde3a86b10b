/** Finds the calls in an answer as it comes; their format is in `models/tokenizer/tool-turns.ts`. */
import { CALL_BEGIN, CALL_END } from '#models/tokenizer/tool-turns.ts'

export type AnswerPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'call'; readonly index: number; readonly name: string }
  | { readonly type: 'arguments'; readonly index: number; readonly text: string }

/** What stands between the name and the arguments of a call. */
const HEAD = /^\{"name": ("(?:[^"\\]|\\.)*"), "arguments": /

export class ToolCallParser {
  #state: 'text' | 'head' | 'arguments' | 'tail' = 'text'
  /** What has come and is not told yet. */
  #held = ''
  #calls = 0
  /** Of the arguments: brackets that are open, and whether a text or an escape in one is. */
  #depth = 0
  #inText = false
  #escaped = false

  /** Calls that have begun. */
  get calls(): number {
    return this.#calls
  }

  push(piece: string): AnswerPart[] {
    this.#held += piece
    const parts: AnswerPart[] = []
    while (this.#next(parts));
    return parts
  }

  /** What was held back as the possible beginning of a call, once nothing more comes. */
  flush(): AnswerPart[] {
    const text = this.#state === 'text' ? this.#held : ''
    this.#held = ''
    return text === '' ? [] : [{ type: 'text', text }]
  }

  /** Takes one thing off what is held; whether there may be another. */
  #next(parts: AnswerPart[]): boolean {
    switch (this.#state) {
      case 'text':
        return this.#text(parts)
      case 'head':
        return this.#head(parts)
      case 'arguments':
        return this.#arguments(parts)
      case 'tail': {
        const tail = `}${CALL_END}`
        if (this.#held.length < tail.length) return false
        this.#held = this.#held.slice(tail.length)
        this.#state = 'text'
        return true
      }
    }
  }

  #text(parts: AnswerPart[]): boolean {
    const at = this.#held.indexOf(CALL_BEGIN)
    if (at < 0) {
      this.#tell(parts, this.#held.length - overlap(this.#held, CALL_BEGIN))
      return false
    }
    this.#tell(parts, at)
    this.#held = this.#held.slice(CALL_BEGIN.length)
    this.#state = 'head'
    return true
  }

  /** The first characters that are held are text, unless they are the space between calls. */
  #tell(parts: AnswerPart[], length: number): void {
    const text = this.#held.slice(0, length)
    if (this.#calls > 0 && text.trim() === '') {
      this.#held = this.#held.slice(length)
      return
    }
    if (text !== '') parts.push({ type: 'text', text })
    this.#held = this.#held.slice(length)
  }

  #head(parts: AnswerPart[]): boolean {
    const head = HEAD.exec(this.#held)
    if (!head) return false
    parts.push({ type: 'call', index: this.#calls, name: JSON.parse(head[1] as string) as string })
    this.#held = this.#held.slice(head[0].length)
    this.#calls++
    this.#depth = 0
    this.#state = 'arguments'
    return true
  }

  #arguments(parts: AnswerPart[]): boolean {
    const end = this.#endOfArguments()
    const text = this.#held.slice(0, end)
    if (text !== '') parts.push({ type: 'arguments', index: this.#calls - 1, text })
    this.#held = this.#held.slice(text.length)
    if (end === undefined) return false
    this.#state = 'tail'
    return true
  }

  /** Where the object ends in what is held, if it does. */
  #endOfArguments(): number | undefined {
    for (let i = 0; i < this.#held.length; i++) {
      const character = this.#held[i]
      if (this.#escaped) this.#escaped = false
      else if (this.#inText) {
        this.#escaped = character === '\\'
        this.#inText = character !== '"'
      } else if (character === '"') this.#inText = true
      else if (character === '{' || character === '[') this.#depth++
      else if ((character === '}' || character === ']') && --this.#depth === 0) return i + 1
    }
    return undefined
  }
}

/** How many characters at the end of `text` are the beginning of `word`. */
function overlap(text: string, word: string): number {
  for (let length = Math.min(text.length, word.length - 1); length > 0; length--) {
    if (text.endsWith(word.slice(0, length))) return length
  }
  return 0
}

/** What a text is made of for its translation: sentences, and all that comes through as it is. */

/** Within a sentence: comes through as it is. */
export interface Kept {
  /** As it stands in the translation, escapes of mark-up included. */
  readonly text: string
  /** A tag that has to stay nested as it was; undefined for all else. */
  readonly tag?: 'open' | 'close' | 'empty'
}

/** Words to translate, without escapes, or what is kept. */
export type Part = string | Kept

export interface Sentence {
  readonly parts: readonly Part[]
}

/** What is between sentences is there as it stands in the translation. */
export type Piece = string | Sentence

/** How words are written in the kind of text that they are in. */
export type Encode = (words: string) => string

export const plain: Encode = (words) => words
export const hasLetter = (text: string): boolean => /\p{L}/u.test(text)

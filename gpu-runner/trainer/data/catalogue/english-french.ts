/** Pairs of English and French of which a translation from one into the other is learned. */

export interface Pair {
  readonly en: string
  readonly fr: string
}

/** Texts are the same when this is. */
export const textKey = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\p{Nd}+/gu, '0')
    .replace(/[^\p{L}\p{N}_]+/gu, ' ')
    .trim()

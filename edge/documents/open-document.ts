/** What a document is to its translation, whatever its kind: texts that can be put back where they stood. */
import type { MarkupOptions } from '../translation/markup-pieces.ts'
import type { Encode, Piece } from '../translation/pieces.ts'

export type SegmentOptions = Pick<MarkupOptions, 'language' | 'most' | 'keep'>

export interface Segment {
  /** Its words, to find out their language and to count them. */
  readonly text: string
  readonly pieces: (options: SegmentOptions) => Piece[]
}

export interface OpenDocument {
  readonly segments: readonly Segment[]
  /** How words are written in it. */
  readonly encode: Encode
  /** The document with a translation for each segment, in order. @param target ISO 639-1 */
  readonly write: (translations: readonly string[], target: string) => Uint8Array
}

/** It is not what its name says, or is not read here. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
}

/** @throws DocumentError if it is not in UTF-8 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new DocumentError('it is not in UTF-8', { cause })
  }
}

export const encodeText = (text: string): Uint8Array => new TextEncoder().encode(text)

const none: ReadonlySet<string> = new Set()
/** Mark-up as such, with nothing asked for. */
export const MARKUP = {
  ignoreTags: none,
  splittingTags: none,
  nonSplittingTags: none,
  outlineDetection: false,
} as const

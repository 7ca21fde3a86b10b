/** Translates an open document: all its segments are in one language. */
import { TermFinder, type Terms } from '../translation/glossary-terms.ts'
import type { Pair } from '../translation/pairs.ts'
import { returned } from '../translation/returned.ts'
import { type AskModel, translatePieces } from '../translation/translate-pieces.ts'
import { longestFor, NoSuchPair } from '../translation/translate-texts.ts'
import type { OpenDocument } from './open-document.ts'

export interface DocumentRequest {
  /** ISO 639-1. */
  readonly source: string
  readonly target: string
  readonly terms: Terms
}

/** @throws NoSuchPair */
export async function translateDocument(
  { segments, encode, write }: OpenDocument,
  { source, target, terms }: DocumentRequest,
  pairs: readonly Pair[],
  ask: (pair: Pair) => AskModel,
): Promise<Uint8Array> {
  const pair = pairs.find((one) => one.source === source && one.target === target)
  if (!pair) throw new NoSuchPair(source)
  const finder = new TermFinder(terms)
  const options = {
    language: source,
    most: longestFor(pair.contextLength),
    keep: finder.apply.bind(finder),
  }
  const pieces = segments.map((segment) => segment.pieces(options))
  const rendering = { encode, preserveFormatting: false, alternatives: 0 }
  const translations = await returned(translatePieces(pieces, ask(pair), rendering))
  return write(
    translations.map(({ text }) => text),
    target,
  )
}

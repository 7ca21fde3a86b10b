/** A long text in pieces that a model can take at once, cut between sentences. */

/**
 * @param texts in order
 * @param room tokens of a piece
 * @returns pieces of whole texts, each within `room`; one that is longer by itself is cut
 */
export function chunksOf(texts: readonly string[], room: number, tokensOf: (text: string) => number): string[] {
  const chunks: string[] = []
  let chunk = ''
  for (const text of texts.flatMap((whole) => cut(whole, room, tokensOf))) {
    const longer = chunk === '' ? text : `${chunk} ${text}`
    if (chunk !== '' && tokensOf(longer) > room) {
      chunks.push(chunk)
      chunk = text
    } else chunk = longer
  }
  return chunk === '' ? chunks : [...chunks, chunk]
}

/** In halves, until each fits. */
function cut(text: string, room: number, tokensOf: (text: string) => number): string[] {
  if (tokensOf(text) <= room) return [text]
  const characters = [...text]
  // A character may be more tokens than there is room for.
  if (characters.length < 2) return []
  const middle = characters.length >> 1
  const gap = characters.indexOf(' ', middle)
  const at = gap < 0 ? middle : gap
  return [characters.slice(0, at), characters.slice(at)].flatMap((half) => {
    const piece = half.join('').trim()
    return piece === '' ? [] : cut(piece, room, tokensOf)
  })
}

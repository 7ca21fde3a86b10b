/** A long text in pieces that a model can take at once, cut between sentences. */

/** A token has about so many characters: what is longer than a room full of them is cut before anything is counted. */
const CHARACTERS = 4

/**
 * @param texts in order
 * @param room tokens of a piece
 * @returns pieces of whole texts, each within `room` or nearly so, as joining may change a token; one that is longer by
 * itself is cut
 */
export function chunksOf(texts: readonly string[], room: number, tokensOf: (text: string) => number): string[] {
  const chunks: string[] = []
  let chunk: string[] = []
  let size = 0
  for (const text of texts.flatMap((whole) => slices(whole, room * CHARACTERS))) {
    for (const { piece, tokens } of cut(text, room, tokensOf)) {
      if (chunk.length > 0 && size + 1 + tokens > room) {
        chunks.push(chunk.join(' '))
        chunk = []
      }
      size = chunk.length > 0 ? size + 1 + tokens : tokens
      chunk.push(piece)
    }
  }
  return chunk.length > 0 ? [...chunks, chunk.join(' ')] : chunks
}

/** Of at most so many characters, cut at the last space if there is one. */
function slices(text: string, most: number): string[] {
  const characters = [...text]
  const pieces: string[] = []
  for (let from = 0; from < characters.length; ) {
    const rest = characters.length - from
    const space = rest > most ? characters.lastIndexOf(' ', from + most) : -1
    const end = space > from ? space : from + Math.min(most, rest)
    pieces.push(characters.slice(from, end).join('').trim())
    from = end
  }
  return pieces.filter((piece) => piece !== '')
}

/** In halves, until each fits. */
function cut(
  text: string,
  room: number,
  tokensOf: (text: string) => number,
): { readonly piece: string; readonly tokens: number }[] {
  const tokens = tokensOf(text)
  if (tokens <= room) return [{ piece: text, tokens }]
  const { length } = [...text]
  // A character may be more tokens than there is room for.
  return length < 2 ? [] : slices(text, Math.ceil(length / 2)).flatMap((half) => cut(half, room, tokensOf))
}

/**
 * GPT-2's alphabet, in which byte-level BPE vocabularies are written: each byte is a printable character
 * (https://github.com/openai/gpt-2, `bytes_to_unicode`).
 */
const BYTE_OF_CHARACTER = alphabet()

function alphabet(): ReadonlyMap<string, number> {
  const printable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173)
  const map = new Map<string, number>()
  let next = 256
  for (let byte = 0; byte < 256; byte++) map.set(String.fromCodePoint(printable(byte) ? byte : next++), byte)
  return map
}

/** The bytes that a token of the vocabulary stands for, or undefined if it is not written in the alphabet. */
export function tokenBytes(token: string): Uint8Array | undefined {
  const bytes: number[] = []
  for (const character of token) {
    const byte = BYTE_OF_CHARACTER.get(character)
    if (byte === undefined) return undefined
    bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}

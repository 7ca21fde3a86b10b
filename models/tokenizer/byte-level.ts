/**
 * GPT-2's alphabet, in which byte-level BPE vocabularies are written: each byte is a printable character
 * (https://github.com/openai/gpt-2, `bytes_to_unicode`).
 */

/** The character of each byte. */
export const BYTE_CHARACTERS: readonly string[] = alphabet()
const BYTE_OF_CHARACTER = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]))

function alphabet(): string[] {
  const printable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173)
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++))
}

/** The bytes that a token of the vocabulary stands for, or undefined if it is not written in the alphabet. */
export function tokenBytes(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const byte = BYTE_OF_CHARACTER.get(token[i] as string)
    if (byte === undefined) return undefined
    bytes[i] = byte
  }
  return bytes
}

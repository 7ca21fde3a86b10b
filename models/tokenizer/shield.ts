/**
 * Keeps what users write from being read as a control token. While a template runs, a stand-in takes the place of one
 * character wherever a control token stands in a message, or could come to stand across its edge; once the prompt has
 * been cut at the control tokens that the template wrote, the stand-ins are taken back.
 *
 * Stand-ins are lone low surrogates, which well-formed text has none of.
 */
const FIRST_STAND_IN = 0xdc00
const LONE_SURROGATE = /\p{Surrogate}/gu

export interface Shield {
  /** The message with its stand-ins; lone surrogates in it become U+FFFD, as they would in any encoding of it. */
  hide(message: string): string
  restore(text: string): string
}

export function createShield(controls: readonly string[]): Shield {
  const inside = new RegExp(`(?=${controls.map((token) => RegExp.escape(token)).join('|') || '(?!)'})`, 'g')
  const hidden: string[] = []

  const standIn = (character: string): string => {
    if (!hidden.includes(character)) hidden.push(character)
    return String.fromCharCode(FIRST_STAND_IN + hidden.indexOf(character))
  }
  return {
    hide(message) {
      const text = message.toWellFormed()
      const places = new Set(Array.from(text.matchAll(inside), ({ index }) => index))
      // A template may trim a message before it writes something next to it.
      const start = text.length - text.trimStart().length
      for (const [from, to] of [
        [0, text.length],
        [start, text.trimEnd().length],
      ] as const) {
        for (const control of controls) for (const place of atEdges(text, from, to, control)) places.add(place)
      }
      if (places.size === 0) return text
      const order = [...places].sort((a, b) => a - b)
      let shielded = ''
      let end = 0
      for (const place of order) {
        // Inside a pair of surrogates, the pair is the character.
        const from = isLow(text, place) ? place - 1 : place
        if (from < end) continue
        const character = String.fromCodePoint(text.codePointAt(from) as number)
        shielded += text.slice(end, from) + standIn(character)
        end = from + character.length
      }
      return shielded + text.slice(end)
    },
    // With the flag `u`, half of a character is no match.
    restore: (text) => text.replace(LONE_SURROGATE, (mark) => hidden[mark.charCodeAt(0) - FIRST_STAND_IN] ?? mark),
  }
}

function isLow(text: string, at: number): boolean {
  const unit = text.charCodeAt(at)
  return unit >= 0xdc00 && unit <= 0xdfff
}

/** Where one character has to go for `control` not to begin before, to end after or to go all the way across a range. */
function atEdges(text: string, from: number, to: number, control: string): number[] {
  const places: number[] = []
  const length = Math.max(0, to - from)
  if (length === 0) return places
  for (let cut = 1; cut < control.length; cut++) {
    if (cut <= length && text.startsWith(control.slice(0, cut), to - cut)) places.push(to - cut)
    if (control.length - cut <= length && text.startsWith(control.slice(cut), from)) places.push(from)
  }
  if (length < control.length && control.includes(text.slice(from, to))) places.push(from)
  return places
}

/** What tests ask of a grammar, byte by byte. */
import type { GenerationConstraint } from '#protocol/generation.ts'
import { Automaton, type Budget, type State } from '../automaton.ts'
import { compileConstraint } from '../grammar.ts'

export function automatonOf(constraint: GenerationConstraint): Automaton {
  return new Automaton(compileConstraint(constraint))
}

const UNBOUNDED: Budget = { left: Number.POSITIVE_INFINITY }

/** The state after a text, or null if nothing goes on with it. */
export function after(automaton: Automaton, text: string | Uint8Array): State | null {
  let state: State | null = automaton.start
  for (const byte of typeof text === 'string' ? Buffer.from(text) : text) state = state && automaton.step(state, byte, UNBOUNDED)
  return state
}

export const matches = (automaton: Automaton, text: string | Uint8Array): boolean =>
  after(automaton, text)?.accepting ?? false

export const schema = (value: unknown, strict = true): GenerationConstraint => ({
  type: 'json_schema',
  schema: value as Record<string, unknown>,
  strict,
})

/**
 * A text that matches, its bytes drawn at random; past `longest` bytes the end is preferred, and what leads to it soonest
 * where it is not to be had.
 */
export function randomText(automaton: Automaton, random: () => number, longest = 60): string {
  const bytes: number[] = []
  let state = automaton.start
  while (state.threads.length > 0) {
    const late = bytes.length > longest
    if (state.accepting && (late || random() < 0.3)) break
    const way = late ? shortestEnd(automaton, state) : [anyByte(automaton, state, random)]
    for (const byte of way) {
      bytes.push(byte)
      state = automaton.step(state, byte, UNBOUNDED) as State
    }
    if (late) break
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes))
}

function anyByte(automaton: Automaton, state: State, random: () => number): number {
  const allowed = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => automaton.step(state, byte, UNBOUNDED))
  if (allowed.length === 0) throw new Error('a dead end')
  return allowed[Math.floor(random() * allowed.length)] as number
}

function shortestEnd(automaton: Automaton, from: State): number[] {
  const ways = new Map<State, number[]>([[from, []]])
  for (const [state, way] of ways) {
    if (state.accepting) return way
    for (let byte = 0; byte < 256; byte++) {
      const next = automaton.step(state, byte, UNBOUNDED)
      if (next && !ways.has(next)) ways.set(next, [...way, byte])
    }
  }
  throw new Error('no end')
}

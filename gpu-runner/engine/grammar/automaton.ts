/**
 * A program run byte by byte. All ways of matching are followed at once, each with the calls it has to return from; what
 * has come of a state and a byte is remembered, so that the grammar becomes a deterministic automaton where it is used
 * (the lazy construction of Aho, Sethi and Ullman, as in https://swtch.com/~rsc/regexp/regexp1.html, over a stack).
 */
import { GrammarError } from './grammar-error.ts'
import type { Node, Program } from './program.ts'

/** The calls to return from, innermost first. Equal ones are one object. */
interface Frame {
  readonly id: number
  /** The node to go on at. */
  readonly next: number
  readonly outer: Frame | undefined
}

/** One way of matching: a node that reads a byte, and where to return to from there. */
interface Thread {
  readonly node: Extract<Node, { op: 'byte' }>
  readonly frame: Frame | undefined
}

export interface State {
  readonly threads: readonly Thread[]
  /** What has been read matches as a whole. */
  readonly accepting: boolean
  /** By byte: the state after it, null if none; undefined if it is not known yet. */
  readonly after: (State | null | undefined)[]
}

/** States that are remembered; past that, all are forgotten and found again. */
const MOST_STATES = 8_000
/** Ways of matching at once: an ambiguous grammar may have more. */
const MOST_THREADS = 20_000
const MOST_DEPTH = 256

export class Automaton {
  readonly start: State
  readonly #nodes: readonly Node[]
  #states = new Map<string, State>()
  #frames = new Map<string, Frame>()
  #lastFrame = 0

  constructor({ nodes, start }: Program) {
    this.#nodes = nodes
    this.start = this.#state([[start, undefined]])
  }

  /** The state after a byte, or null if nothing that matches goes on with it. */
  step(state: State, byte: number): State | null {
    const known = state.after[byte]
    if (known !== undefined) return known
    const next: [number, Frame | undefined][] = []
    for (const { node, frame } of state.threads) {
      if (byte >= node.from && byte <= node.to) next.push([node.next, frame])
    }
    const after = next.length === 0 ? null : this.#state(next)
    state.after[byte] = after
    return after
  }

  /** Follows branches, calls and returns from each place up to the nodes that read. */
  #state(places: readonly (readonly [number, Frame | undefined])[]): State {
    const seen = new Set<string>()
    const threads = new Map<string, Thread>()
    let accepting = false
    const open = [...places]
    for (let place = open.pop(); place; place = open.pop()) {
      const [at, frame] = place
      const key = `${at}.${frame?.id ?? 0}`
      if (seen.has(key)) continue
      seen.add(key)
      if (seen.size > MOST_THREADS)
        throw new GrammarError('too_large', `it can be read in over ${MOST_THREADS} ways at once`)
      const node = this.#nodes[at] as Node
      switch (node.op) {
        case 'byte':
          threads.set(key, { node, frame })
          break
        case 'branch':
          for (const next of node.next) open.push([next, frame])
          break
        case 'call': {
          const inner = this.#enter(node.next, frame)
          if (inner !== TOO_DEEP) open.push([node.rule, inner])
          break
        }
        case 'return':
          if (frame) open.push([frame.next, frame.outer])
          else accepting = true
      }
    }
    const key = `${accepting ? '!' : ''}${[...threads.keys()].sort().join(' ')}`
    const known = this.#states.get(key)
    if (known) return known
    if (this.#states.size >= MOST_STATES) {
      this.#states = new Map()
      this.#frames = new Map()
    }
    const state: State = { threads: [...threads.values()], accepting, after: [] }
    this.#states.set(key, state)
    return state
  }

  /** A call that is the last thing in its rule returns where the rule itself does, so that lists make no depth. */
  #enter(next: number, outer: Frame | undefined): Frame | undefined | typeof TOO_DEEP {
    if ((this.#nodes[next] as Node).op === 'return') return outer
    const key = `${next}.${outer?.id ?? 0}`
    const known = this.#frames.get(key)
    if (known) return known
    let depth = 1
    for (let frame = outer; frame; frame = frame.outer) if (++depth > MOST_DEPTH) return TOO_DEEP
    const frame = { id: ++this.#lastFrame, next, outer }
    this.#frames.set(key, frame)
    return frame
  }
}

const TOO_DEEP = Symbol('too deep')

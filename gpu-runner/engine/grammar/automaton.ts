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

/** Places in the program that may still be looked at: what bounds the time that a grammar may take. */
export interface Budget {
  left: number
}

export interface State {
  readonly threads: readonly Thread[]
  /** What has been read matches as a whole. */
  readonly accepting: boolean
  /** By byte: the state after it, null if none; undefined if it is not known yet. */
  readonly after: (State | null | undefined)[]
}

/** States that are remembered, and ways of matching in all of them; past that, all are forgotten and found again. */
const MOST_STATES = 8_000
const MOST_THREADS = 500_000
/** Places that are looked at before anything has been read. */
const MOST_AT_START = 20_000
const MOST_DEPTH = 256
const LAST_BYTE = 255

export class Automaton {
  readonly start: State
  readonly #nodes: readonly Node[]
  #states = new Map<string, State>()
  #frames = new Map<string, Frame>()
  #threads = 0
  #lastFrame = 0

  /** @throws GrammarError `too_large` if it can begin in too many ways */
  constructor({ nodes, start }: Program) {
    this.#nodes = nodes
    this.start = this.#state([[start, undefined]], { left: MOST_AT_START })
  }

  /**
   * The state after a byte, or null if nothing that matches goes on with it.
   * @throws GrammarError `too_large` if the budget does not suffice to find out
   */
  step(state: State, byte: number, budget: Budget): State | null {
    const known = state.after[byte]
    if (known !== undefined) return known
    const next: [number, Frame | undefined][] = []
    // All bytes around this one that the same threads read lead to the same state.
    let [first, last] = [0, LAST_BYTE]
    for (const { node, frame } of state.threads) {
      if (byte < node.from) last = Math.min(last, node.from - 1)
      else if (byte > node.to) first = Math.max(first, node.to + 1)
      else {
        first = Math.max(first, node.from)
        last = Math.min(last, node.to)
        next.push([node.next, frame])
      }
    }
    const after = next.length === 0 ? null : this.#state(next, budget)
    for (let other = first; other <= last; other++) state.after[other] = after
    return after
  }

  /** Follows branches, calls and returns from each place up to the nodes that read. */
  #state(places: readonly (readonly [number, Frame | undefined])[], budget: Budget): State {
    const seen = new Set<string>()
    const threads = new Map<string, Thread>()
    let accepting = false
    const open = [...places]
    for (let place = open.pop(); place; place = open.pop()) {
      const [at, frame] = place
      const key = `${at}.${frame?.id ?? 0}`
      if (seen.has(key)) continue
      seen.add(key)
      if (--budget.left < 0) throw new GrammarError('too_large', 'it can be read in too many ways at once')
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
    if (this.#states.size >= MOST_STATES || this.#threads > MOST_THREADS) {
      this.#states = new Map()
      this.#frames = new Map()
      this.#threads = 0
    }
    this.#threads += threads.size
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

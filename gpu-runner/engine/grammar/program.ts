/**
 * A grammar compiled: nodes that read a byte, branch, or call a rule and go on where it returns (Thompson 1968,
 * https://doi.org/10.1145/363347.363387, with calls). Parts that match no finite text are left out on the way.
 */
import type { Expression, Grammar } from './expression.ts'
import { GrammarError } from './grammar-error.ts'

/** Nodes of one program. */
export const MOST_NODES = 60_000
/** Nodes of the copies of what is repeated; more are calls of one. */
const MOST_COPIED = 512

export type Node =
  | { readonly op: 'byte'; readonly from: number; readonly to: number; readonly next: number }
  | { readonly op: 'branch'; readonly next: readonly number[] }
  | { readonly op: 'call'; rule: number; readonly next: number }
  | { readonly op: 'return' }

export interface Program {
  readonly nodes: readonly Node[]
  readonly start: number
}

/**
 * @throws GrammarError `too_large`; `unsatisfiable` if no text matches; `unsupported` if a rule could call itself for ever
 *   without reading anything
 */
export function compile(grammar: Grammar): Program {
  const rules = new Map(grammar.rules)
  const finite = finiteRules(grammar)
  const keep = (expression: Expression) => matchesSome(expression, finite)
  if (!keep(grammar.start)) throw new GrammarError('unsatisfiable', 'no text at all matches')
  refuseLeftRecursion(grammar, finite)

  const nodes: Node[] = []
  const add = (node: Node): number => {
    if (nodes.length >= MOST_NODES) throw new GrammarError('too_large', `it takes over ${MOST_NODES} states`)
    return nodes.push(node) - 1
  }
  const end = add({ op: 'return' })
  /** By rule: where it begins, or the calls that wait to be told. */
  const begins = new Map<string, number>()
  const waiting: { name: string; call: { op: 'call'; rule: number; next: number } }[] = []

  /** Where to begin to match `expression` and then go on at `next`. */
  const emit = (expression: Expression, next: number): number => {
    switch (expression.kind) {
      case 'byte':
        return add({ op: 'byte', from: expression.from, to: expression.to, next })
      case 'sequence':
        return expression.parts.reduceRight((after, part) => emit(part, after), next)
      case 'choice': {
        const options = expression.options.filter(keep).map((option) => emit(option, next))
        return options.length === 1 ? (options[0] as number) : add({ op: 'branch', next: options })
      }
      case 'repeat':
        return emitRepeat(expression, next)
      case 'rule': {
        const call = { op: 'call' as const, rule: -1, next }
        waiting.push({ name: expression.name, call })
        return add(call)
      }
    }
  }
  /** To be written once and called wherever it stands. */
  const asRule = (expression: Expression): Expression => {
    if (expression.kind === 'rule') return expression
    const name = `#repeated ${rules.size}`
    rules.set(name, expression)
    if (keep(expression)) finite.add(name)
    return { kind: 'rule', name }
  }
  const emitRepeat = ({ part: repeated, min, max }: Extract<Expression, { kind: 'repeat' }>, next: number): number => {
    let at = next
    const copies = max === Number.POSITIVE_INFINITY ? min + 1 : max
    const part = copies * sizeOf(repeated, MOST_COPIED) > MOST_COPIED ? asRule(repeated) : repeated
    if (max === Number.POSITIVE_INFINITY) {
      const targets: number[] = []
      const loop = add({ op: 'branch', next: targets })
      if (keep(part)) targets.push(emit(part, loop))
      targets.push(next)
      at = loop
    } else if (keep(part)) {
      for (let i = min; i < max; i++) at = add({ op: 'branch', next: [emit(part, at), next] })
    }
    for (let i = 0; i < min; i++) at = emit(part, at)
    return at
  }

  const start = emit(grammar.start, end)
  // It grows while it is gone through.
  for (const { name, call } of waiting) {
    const known = begins.get(name)
    // While a rule is written, its calls of itself wait behind it.
    call.rule = known ?? emit(rules.get(name) as Expression, end)
    begins.set(name, call.rule)
  }
  return { nodes, start }
}

/** Nodes of an expression, calls of rules as one each; past `most` it is not told how many. */
function sizeOf(expression: Expression, most: number): number {
  switch (expression.kind) {
    case 'byte':
    case 'rule':
      return 1
    case 'repeat': {
      const copies = expression.max === Number.POSITIVE_INFINITY ? expression.min + 1 : expression.max
      return copies * (1 + sizeOf(expression.part, most))
    }
    default: {
      let size = 1
      for (const part of expression.kind === 'sequence' ? expression.parts : expression.options) {
        if (size > most) break
        size += sizeOf(part, most)
      }
      return size
    }
  }
}

/** Whether some finite text matches, given the rules of which that is known. */
function matchesSome(expression: Expression, finite: ReadonlySet<string>): boolean {
  switch (expression.kind) {
    case 'byte':
      return true
    case 'sequence':
      return expression.parts.every((part) => matchesSome(part, finite))
    case 'choice':
      return expression.options.some((option) => matchesSome(option, finite))
    case 'repeat':
      return expression.min === 0 || matchesSome(expression.part, finite)
    case 'rule':
      return finite.has(expression.name)
  }
}

function finiteRules({ rules }: Grammar): Set<string> {
  const finite = new Set<string>()
  for (let before = -1; before < finite.size; ) {
    before = finite.size
    for (const [name, expression] of rules) if (!finite.has(name) && matchesSome(expression, finite)) finite.add(name)
  }
  return finite
}

/** Rules that `expression` may call before it has read a byte. @returns whether it may read none at all */
function firstCalls(expression: Expression, empty: ReadonlySet<string>, into: Set<string>): boolean {
  switch (expression.kind) {
    case 'byte':
      return false
    case 'sequence':
      return expression.parts.every((part) => firstCalls(part, empty, into))
    case 'choice':
      return expression.options.map((option) => firstCalls(option, empty, into)).includes(true)
    case 'repeat':
      return [expression.max > 0 && firstCalls(expression.part, empty, into), expression.min === 0].includes(true)
    case 'rule':
      into.add(expression.name)
      return empty.has(expression.name)
  }
}

function refuseLeftRecursion({ rules }: Grammar, finite: ReadonlySet<string>): void {
  const empty = new Set<string>()
  const first = new Map<string, Set<string>>()
  for (let before = -1; before < empty.size; ) {
    before = empty.size
    for (const [name, expression] of rules) {
      const calls = new Set<string>()
      if (firstCalls(expression, empty, calls)) empty.add(name)
      first.set(name, calls)
    }
  }
  const done = new Set<string>()
  const open = new Set<string>()
  const visit = (name: string): void => {
    if (done.has(name) || !finite.has(name)) return
    if (open.has(name)) throw new GrammarError('unsupported', `${name} leads back to itself without anything between`)
    open.add(name)
    for (const next of first.get(name) ?? []) visit(next)
    open.delete(name)
    done.add(name)
  }
  for (const name of rules.keys()) visit(name)
}

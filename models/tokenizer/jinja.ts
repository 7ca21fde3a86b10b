/** What is used of @huggingface/jinja, with types: its own declarations do not resolve by Node's rules. */
import * as library from '@huggingface/jinja'

export interface Value {
  readonly type: string
  readonly value: unknown
}
export interface Environment {
  /** Throws if there is such a name already. */
  set(name: string, value: unknown): void
}
/** A parsed template, and each part of it. */
export interface Node {
  readonly type: string
}
export interface Interpreter {
  run(program: Node): Value
  evaluate(node: Node | undefined, environment: Environment): Value
}

interface Jinja {
  readonly Environment: new () => Environment
  readonly Interpreter: new (environment: Environment) => Interpreter
  readonly tokenize: (source: string, options: { lstrip_blocks: boolean; trim_blocks: boolean }) => readonly unknown[]
  readonly parse: (tokens: readonly unknown[]) => Node
}
export const jinja: Jinja = library

/**
 * Runs a template within limits, as a template comes with a model and may be hostile: work, and the size of every value
 * that it makes, are bounded. It reaches nothing but what its environment names; the library's interpreter gives it no
 * way to JavaScript's own objects.
 */
import { type Environment, jinja, type Node, type Value } from './jinja.ts'
import { TokenizerError } from './tokenizer-error.ts'

/** Steps: one for each node that is evaluated, and one more for so many characters or elements of its value. */
const MOST_STEPS = 1 << 20
const SIZE_OF_STEP = 256
/** Characters, and elements with all that they hold, of one value; shared parts count as often as they are seen. */
const MOST_SIZE = 1 << 22

export class BoundedInterpreter extends jinja.Interpreter {
  #steps = 0
  /** Sizes of lists and mappings, whose parts were evaluated before them. */
  readonly #sizes = new WeakMap<Value, number>()

  override evaluate(node: Node | undefined, environment: Environment): Value {
    this.#charge(1)
    const value = super.evaluate(node, environment)
    this.#charge(Math.floor(length(value) / SIZE_OF_STEP))
    if (this.#size(value) > MOST_SIZE) throw unbounded(`a value is larger than ${MOST_SIZE}`)
    return value
  }

  #charge(steps: number): void {
    this.#steps += steps
    if (this.#steps > MOST_STEPS) throw unbounded(`it takes over ${MOST_STEPS} steps`)
  }

  #size(value: Value): number {
    const members = membersOf(value)
    if (!members) return length(value)
    const known = this.#sizes.get(value)
    // A namespace is the one value that changes; what it holds now was sized when it was made.
    if (known !== undefined && value.type !== 'NamespaceValue') return known
    let size = 1
    for (const member of members)
      size += this.#sizes.get(member) ?? (membersOf(member) ? this.#size(member) : length(member))
    this.#sizes.set(value, size)
    return size
  }
}

const unbounded = (what: string) => new TokenizerError('template_unbounded', `the chat template is stopped: ${what}`)

function membersOf(value: Value): Iterable<Value> | undefined {
  const content: unknown = value.value
  if (Array.isArray(content)) return content as Value[]
  return content instanceof Map ? (content as Map<string, Value>).values() : undefined
}

/** Without what members hold. */
function length(value: Value): number {
  const content: unknown = value.value
  if (typeof content === 'string' || Array.isArray(content)) return content.length
  return content instanceof Map ? content.size : 1
}

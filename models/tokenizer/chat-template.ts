/**
 * A model's chat template: how a conversation becomes a prompt. Templates are Jinja; they come with the model, so they
 * are run within limits and know nothing but what they are given.
 */
import { type GgufMetadata, metadataNumber, metadataString, metadataStrings } from '../importers/gguf-metadata.ts'
import { BoundedInterpreter } from './bounded-interpreter.ts'
import { type Environment, jinja } from './jinja.ts'
import { createShield, type Shield } from './shield.ts'
import type { Tokenizer } from './tokenizer.ts'
import { TokenizerError, type TokenizerErrorCode } from './tokenizer-error.ts'
import { asTemplateInput, type ChatTurn, inWords, knowsTools, type TemplateInput, type Tool } from './tool-turns.ts'

export interface ChatTemplate {
  /** What `render` takes for a conversation with tools. */
  input(turns: readonly ChatTurn[], tools: readonly Tool[]): TemplateInput
  /**
   * The prompt's text, the answer to follow.
   * @throws TokenizerError `template_failed` if the template refuses the conversation or has a fault,
   *   `template_unbounded` if it does not come to an end in good time
   */
  render(input: TemplateInput): string
}

const LONGEST_TEMPLATE = 1 << 16
/** As Hugging Face's and llama.cpp's renderers have them. */
const JINJA_OPTIONS = { lstrip_blocks: true, trim_blocks: true }
const LONGEST_RANGE = 10_000
/** What follows is an answer, and no thinking before it: of OpenAI's `reasoning_effort` only `none` is served. */
const ANSWER = { add_generation_prompt: true, enable_thinking: false }

/** Throws TokenizerError `invalid_template` for a template that is no Jinja, GgufError if there is none. */
export function createChatTemplate(metadata: GgufMetadata): ChatTemplate {
  const source = metadataString(metadata, 'tokenizer.chat_template')
  if (source.length > LONGEST_TEMPLATE) {
    throw new TokenizerError(
      'invalid_template',
      `the chat template has ${source.length} characters, over ${LONGEST_TEMPLATE}`,
    )
  }
  const tokens = { bos_token: tokenText(metadata, 'bos'), eos_token: tokenText(metadata, 'eos') }
  const program = typed('invalid_template', () => jinja.parse(jinja.tokenize(source, JINJA_OPTIONS)))
  return {
    input: knowsTools(source) ? asTemplateInput : inWords,
    render: (input) =>
      typed('template_failed', () => {
        const names = { ...tokens, ...input, ...ANSWER, range, raise_exception: refuse }
        return String(new BoundedInterpreter(environment(names)).run(program).value)
      }),
  }
}

/** What the library throws (plain errors, and RangeErrors where the stack or a string ends), as a TokenizerError. */
function typed<T>(code: TokenizerErrorCode, what: () => T): T {
  try {
    return what()
  } catch (cause) {
    if (cause instanceof TokenizerError) throw cause
    throw new TokenizerError(
      code,
      `the chat template fails: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
}

/** All that a template can name. No clock: a conversation has one prompt. */
function environment(names: Readonly<Record<string, unknown>>): Environment {
  const env = new jinja.Environment()
  const constants = { true: true, false: false, none: null, True: true, False: false, None: null }
  for (const [name, value] of Object.entries({ ...constants, ...names })) env.set(name, value)
  return env
}

function tokenText(metadata: GgufMetadata, name: string): string {
  const key = `tokenizer.ggml.${name}_token_id`
  if (!metadata.has(key)) return ''
  return metadataStrings(metadata, 'tokenizer.ggml.tokens')[metadataNumber(metadata, key)] ?? ''
}

function refuse(reason: unknown): never {
  throw new TokenizerError('template_failed', `the chat template refuses the conversation: ${String(reason)}`)
}

/** Jinja's `range`, bounded. */
function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  const length = Math.max(0, Math.ceil((to - from) / step))
  if (!(length <= LONGEST_RANGE)) {
    throw new TokenizerError('template_unbounded', `range(${start}, ${stop}, ${step}) is over ${LONGEST_RANGE}`)
  }
  return Array.from({ length }, (_, i) => from + i * step)
}

/**
 * A conversation as the tokens of its prompt. Control tokens that the template writes become themselves; the same
 * characters in a message stay text.
 * @throws TokenizerError as `ChatTemplate.render`
 */
export function encodeChat(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  turns: readonly ChatTurn[],
  tools: readonly Tool[] = [],
): number[] {
  const shield = createShield([...tokenizer.controlTokens.keys()])
  const { messages, tools: described } = template.input(turns, tools)
  const prompt = template.render({
    messages: messages.map(({ role, ...rest }) => ({ role, ...hidden(rest, shield) })),
    ...(described && { tools: hidden(described, shield) }),
  })
  const ids = tokenizer
    .partition(prompt)
    .flatMap((part) => (typeof part === 'number' ? [part] : tokenizer.encode(shield.restore(part))))
  const { bosId, addBos } = tokenizer
  return addBos && bosId !== undefined && ids[0] !== bosId ? [bosId, ...ids] : ids
}

/** A value with all its texts hidden, names too. */
function hidden<T>(value: T, shield: Shield): T {
  const walk = (part: unknown): unknown => {
    if (typeof part === 'string') return shield.hide(part)
    if (Array.isArray(part)) return part.map(walk)
    if (typeof part !== 'object' || part === null) return part
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [shield.hide(name), walk(member)]))
  }
  return walk(value) as T
}

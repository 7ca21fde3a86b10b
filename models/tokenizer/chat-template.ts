/**
 * A model's chat template: how a conversation becomes a prompt. Templates are Jinja; they come with the model, so they
 * are run by an interpreter that knows nothing but what it is given.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'
import type { ChatTurn } from '#protocol/generation.ts'
import { type GgufMetadata, metadataString } from '../importers/gguf-metadata.ts'
import { type Tokenizer, TokenizerError } from './tokenizer.ts'

export interface ChatTemplate {
  /** The prompt's text, the answer to follow. Throws TokenizerError if the template refuses the conversation. */
  render(messages: readonly ChatTurn[]): string
}

const LONGEST_TEMPLATE = 1 << 16
const LONGEST_RANGE = 10_000
const PRIVATE_USE = 0xe000
const PRIVATE_USE_COUNT = 0x1900

export function createChatTemplate(metadata: GgufMetadata): ChatTemplate {
  const source = metadataString(metadata, 'tokenizer.chat_template')
  if (source.length > LONGEST_TEMPLATE) throw new TokenizerError(`the chat template is over ${LONGEST_TEMPLATE} characters`)
  const run = <T>(what: () => T): T => {
    try {
      return what()
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new TokenizerError(`the chat template fails: ${reason}`, { cause })
    }
  }
  const program = run(() => parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })))
  return { render: (messages) => run(() => String(new Interpreter(environment(messages)).run(program).value)) }
}

/** All that a template can name. */
function environment(messages: readonly ChatTurn[]): Environment {
  const env = new Environment()
  const names = { messages, add_generation_prompt: true, range, raise_exception: refuse }
  const constants = { true: true, false: false, none: null, True: true, False: false, None: null }
  for (const [name, value] of Object.entries({ ...constants, ...names })) env.set(name, value)
  return env
}

function refuse(reason: unknown): never {
  throw new TokenizerError(String(reason))
}

/** Jinja's `range`, bounded. */
function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  const length = Math.max(0, Math.ceil((to - from) / step))
  if (!(length <= LONGEST_RANGE)) throw new RangeError(`range(${start}, ${stop}, ${step}) is over ${LONGEST_RANGE}`)
  return Array.from({ length }, (_, i) => from + i * step)
}

/**
 * A conversation as the tokens of its prompt. Control tokens that the template writes become themselves; the same
 * characters in a message stay text: a mark that occurs nowhere else breaks them up while the template runs.
 */
export function encodeChat(tokenizer: Tokenizer, template: ChatTemplate, messages: readonly ChatTurn[]): number[] {
  const controls = [...tokenizer.controlTokens.keys()]
  const anyControl = new RegExp(controls.map((token) => RegExp.escape(token)).join('|') || '(?!)', 'u')
  const contents = messages.map(({ content }) => content)
  const mark = unusedCharacter(contents)
  const shielded = messages.map((message) => {
    if (!anyControl.test(message.content)) return message
    const global = new RegExp(anyControl, 'gu')
    return { ...message, content: message.content.replace(global, (token) => `${token[0]}${mark}${token.slice(1)}`) }
  })
  const pieces = template.render(shielded).split(new RegExp(`(${anyControl.source})`, 'u'))
  return pieces.flatMap((piece, i) => {
    const control = i % 2 === 1 ? tokenizer.controlTokens.get(piece) : undefined
    return control === undefined ? tokenizer.encode(piece.replaceAll(mark, '')) : [control]
  })
}

function unusedCharacter(texts: readonly string[]): string {
  for (let i = 0; i < PRIVATE_USE_COUNT; i++) {
    const character = String.fromCharCode(PRIVATE_USE + i)
    if (!texts.some((text) => text.includes(character))) return character
  }
  throw new TokenizerError('the messages use every private character there is')
}

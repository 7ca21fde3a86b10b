/** A chat model, loaded: its tokenizer and chat template on this thread, its engine on another. */
import * as v from 'valibot'
import type { CatalogueEntry } from '#models/catalogue/schema.ts'
import { parseGguf } from '#models/importers/gguf.ts'
import type { GgufMetadata } from '#models/importers/gguf-metadata.ts'
import { type ChatTemplate, createChatTemplate, encodeChat } from '#models/tokenizer/chat-template.ts'
import { createTokenizer, type Tokenizer } from '#models/tokenizer/tokenizer.ts'
import { TokenizerError } from '#models/tokenizer/tokenizer-error.ts'
import { ApiError } from '#protocol/error.ts'
import { type Prompt, type RunnerModel, type TokenizerReply, tokenizerReplySchema } from '#protocol/generation.ts'
import { describeModel } from './describe-model.ts'
import { EngineClient } from './engine/engine-client.ts'
import type { EngineMemory } from './engine/engine-thread.ts'
import { openRangeReader } from './store/range-reader.ts'

const METADATA = tokenizerReplySchema.entries.metadata

export interface ChatModelOptions {
  readonly entry: CatalogueEntry
  /** The verified checkpoint. */
  readonly path: string
  readonly device: string
  /** The folder of the CUDA provider, to run there. */
  readonly cuda?: string | undefined
  readonly threads: number
  readonly memory: EngineMemory
}

export class ChatModel {
  readonly info: RunnerModel
  readonly engine: EngineClient
  readonly #tokenizer: Tokenizer
  readonly #template: ChatTemplate
  readonly #metadata: GgufMetadata

  private constructor(
    info: RunnerModel,
    engine: EngineClient,
    tokenizer: Tokenizer,
    template: ChatTemplate,
    metadata: GgufMetadata,
  ) {
    this.info = info
    this.engine = engine
    this.#tokenizer = tokenizer
    this.#template = template
    this.#metadata = metadata
  }

  static async load({ entry, path, device, cuda, threads, memory }: ChatModelOptions): Promise<ChatModel> {
    const starting = EngineClient.start({ ggufPath: path, sha256: entry.file.sha256, threads, cuda, ...memory })
    using reader = openRangeReader(path)
    const { metadata } = parseGguf(reader)
    const tokenizer = createTokenizer(metadata)
    const template = createChatTemplate(metadata)
    const engine = await starting
    const info = { ...describeModel(entry, device), contextLength: engine.contextLength }
    return new ChatModel(info, engine, tokenizer, template, metadata)
  }

  /** Whether the first word of an answer may come with a space that is the vocabulary's, not the answer's. */
  get addsSpace(): boolean {
    return this.#tokenizer.addsSpace
  }

  /** What the tokenizer and the template are made of, for others that count tokens. */
  get tokenizerMetadata(): TokenizerReply {
    const about = [...this.#metadata].filter(([key]) => key.startsWith('tokenizer.'))
    return { contextLength: this.info.contextLength, metadata: v.parse(METADATA, Object.fromEntries(about)) }
  }

  /**
   * A prompt's tokens, an answer to follow.
   * @throws ApiError if there are none; `context_length_exceeded` if prompt and answer do not fit in the context
   */
  encode(prompt: Prompt, maxTokens: number | null): { prompt: number[]; maxTokens: number } {
    const { contextLength } = this.info
    const tokens = this.tokenize(prompt)
    if (tokens.length === 0) {
      throw new ApiError('invalid_value', `Invalid '${partOf(prompt)}': expected some text, got none.`, {
        param: partOf(prompt),
      })
    }
    const left = contextLength - tokens.length
    if (left < 1 || (maxTokens ?? 0) > left) {
      throw this.#tooLong(
        prompt,
        `${tokens.length} for its ${partOf(prompt)} and ${maxTokens ?? 'at least 1'} for the answer`,
      )
    }
    return { prompt: tokens, maxTokens: maxTokens ?? left }
  }

  /**
   * @throws ApiError if there are surely more tokens than the context holds, if there is none such, or if the model's
   *   template refuses the messages
   */
  tokenize(prompt: Prompt): number[] {
    const tokenizer = this.#tokenizer
    if (prompt.type === 'tokens') {
      this.requireTokens(prompt.tokens, 'prompt')
      return prompt.tokens
    }
    // No token stands for more bytes than the longest: a text far over the context need not be tokenised to see it.
    const texts =
      prompt.type === 'text'
        ? [prompt.text]
        : [
            ...prompt.messages.map(({ content }) => content),
            ...(prompt.tools ?? []).map((tool) => JSON.stringify(tool)),
          ]
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    const fewest = Math.ceil(bytes / tokenizer.maxTokenBytes)
    if (fewest >= this.info.contextLength) throw this.#tooLong(prompt, `at least ${fewest} for its ${partOf(prompt)}`)
    if (prompt.type === 'chat') return this.#encodeChat(prompt)
    const begin = tokenizer.addBos && tokenizer.bosId !== undefined ? [tokenizer.bosId] : []
    return [...begin, ...tokenizer.encode(prompt.text)]
  }

  #encodeChat({ messages, tools }: Extract<Prompt, { type: 'chat' }>): number[] {
    try {
      return encodeChat(this.#tokenizer, this.#template, messages, tools)
    } catch (cause) {
      if (!(cause instanceof TokenizerError)) throw cause
      throw new ApiError('invalid_value', `The model cannot take these messages: ${cause.message}.`, {
        param: 'messages',
        cause,
      })
    }
  }

  /** @throws ApiError if there is no such token */
  requireTokens(tokens: readonly number[], param: string): void {
    const { vocabularySize } = this.#tokenizer
    const unknown = tokens.find((token) => token >= vocabularySize)
    if (unknown === undefined) return
    const known = `${this.info.id} has the tokens 0 to ${vocabularySize - 1}`
    throw new ApiError('invalid_value', `There is no token ${unknown}: ${known}.`, { param })
  }

  /** @throws ApiError if there is no such token */
  detokenize(tokens: readonly number[]): string {
    this.requireTokens(tokens, 'tokens')
    return this.#tokenizer.decode(tokens)
  }

  #tooLong(prompt: Prompt, requested: string): ApiError {
    const { contextLength, id } = this.info
    return new ApiError(
      'context_length_exceeded',
      `The maximum context length of ${id} is ${contextLength} tokens; this request needs ${requested}. ` +
        `Shorten the ${partOf(prompt)} or ask for fewer tokens.`,
      { param: partOf(prompt) },
    )
  }
}

function partOf({ type }: Prompt): 'messages' | 'prompt' {
  return type === 'chat' ? 'messages' : 'prompt'
}

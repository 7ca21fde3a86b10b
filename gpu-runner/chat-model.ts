/** A chat model, loaded: its tokenizer and chat template on this thread, its engine on another. */
import { createHash } from 'node:crypto'
import type { CatalogueEntry } from '#models/catalogue/schema.ts'
import { parseGguf } from '#models/importers/gguf.ts'
import { type ChatTemplate, createChatTemplate, encodeChat } from '#models/tokenizer/chat-template.ts'
import { createTokenizer, type Tokenizer } from '#models/tokenizer/tokenizer.ts'
import { ApiError } from '#protocol/error.ts'
import type { ChatTurn, RunnerModel } from '#protocol/generation.ts'
import { EngineClient } from './engine/engine-client.ts'
import type { EngineMemory } from './engine/engine-thread.ts'
import { openRangeReader } from './store/range-reader.ts'

export interface ChatModelOptions {
  readonly entry: CatalogueEntry
  /** The verified checkpoint. */
  readonly path: string
  readonly device: string
  readonly threads: number
  readonly memory: EngineMemory
}

export class ChatModel {
  readonly info: RunnerModel
  readonly engine: EngineClient
  readonly #tokenizer: Tokenizer
  readonly #template: ChatTemplate

  private constructor(info: RunnerModel, engine: EngineClient, tokenizer: Tokenizer, template: ChatTemplate) {
    this.info = info
    this.engine = engine
    this.#tokenizer = tokenizer
    this.#template = template
  }

  static async load({ entry, path, device, threads, memory }: ChatModelOptions): Promise<ChatModel> {
    const starting = EngineClient.start({ ggufPath: path, sha256: entry.file.sha256, threads, ...memory })
    using reader = openRangeReader(path)
    const { metadata } = parseGguf(reader)
    const tokenizer = createTokenizer(metadata)
    const template = createChatTemplate(metadata)
    const engine = await starting
    const info: RunnerModel = {
      id: entry.id,
      created: entry.created,
      ownedBy: entry.publisher,
      task: 'chat',
      contextLength: engine.contextLength,
      fingerprint: `fp_${createHash('sha256').update(`${entry.file.sha256} ${device}`).digest('hex').slice(0, 12)}`,
      device,
    }
    return new ChatModel(info, engine, tokenizer, template)
  }

  /**
   * The prompt for a conversation, an answer to follow.
   * @throws ApiError `context_length_exceeded` if prompt and answer do not fit in the context
   */
  encode(messages: readonly ChatTurn[], maxTokens: number | null): { prompt: number[]; maxTokens: number } {
    const { contextLength, id } = this.info
    const tooLong = (requested: string) =>
      new ApiError(
        'context_length_exceeded',
        `The maximum context length of ${id} is ${contextLength} tokens; this request needs ${requested}. ` +
          'Shorten the messages or ask for fewer tokens.',
        { param: 'messages' },
      )
    // No token stands for more bytes than the longest: a text far over the context need not be tokenised to see it.
    const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0)
    const fewest = Math.ceil(bytes / this.#tokenizer.maxTokenBytes)
    if (fewest >= contextLength) throw tooLong(`at least ${fewest} for its messages`)
    const prompt = encodeChat(this.#tokenizer, this.#template, messages)
    const left = contextLength - prompt.length
    if (left < 1 || (maxTokens ?? 0) > left) {
      throw tooLong(`${prompt.length} for its messages and ${maxTokens ?? 'at least 1'} for the answer`)
    }
    return { prompt, maxTokens: maxTokens ?? left }
  }
}

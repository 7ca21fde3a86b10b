/** An embedding model, loaded: its tokenizer and its session live in a thread of their own. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { CatalogueEntry } from '#models/catalogue/schema.ts'
import { type RunnerModel, TOKENIZER_FILE, type TokenizerReply } from '#protocol/generation.ts'
import { describeModel } from './describe-model.ts'
import { EmbeddingClient } from './pipelines/embeddings/embedding-client.ts'

export interface EmbeddingModelOptions {
  readonly entry: CatalogueEntry
  /** The verified checkpoint, `tokenizer.json` and `config.json` beside it. */
  readonly path: string
  readonly threads: number
}

export class EmbeddingModel {
  readonly info: RunnerModel
  readonly engine: EmbeddingClient
  /** What its tokenizer is made of, for others that count tokens. */
  readonly tokenizerMetadata: TokenizerReply

  private constructor(info: RunnerModel, engine: EmbeddingClient, tokenizer: string) {
    this.info = info
    this.engine = engine
    this.tokenizerMetadata = { contextLength: info.contextLength, metadata: { [TOKENIZER_FILE]: tokenizer } }
  }

  static async load({ entry, path: modelPath, threads }: EmbeddingModelOptions): Promise<EmbeddingModel> {
    const tokenizer = await readFile(path.join(path.dirname(modelPath), TOKENIZER_FILE), 'utf8')
    const info = describeModel(entry, 'cpu')
    const engine = await EmbeddingClient.start({ modelPath, tokenizer, contextLength: entry.context, threads })
    return new EmbeddingModel(info, engine, tokenizer)
  }
}

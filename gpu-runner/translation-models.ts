/**
 * The models that translate: one's own, then those that ship with Tandem; and any that the edge names by its files. Each is
 * loaded when it is first asked for.
 */
import { createHash } from 'node:crypto'
import path from 'node:path'
import * as v from 'valibot'
import { bundledTranslations, type TranslationFolder, translationsIn } from '#models/bundled/translations.ts'
import { ApiError } from '#protocol/error.ts'
import type { RunnerModel } from '#protocol/generation.ts'
import { type PublishedTranslation, publishedTranslationSchema } from '#protocol/published-model.ts'
import type { TranslateReply, TranslateRequest } from '#protocol/translation.ts'
import { TranslationClient } from './pipelines/translation/translation-client.ts'
import type { TranslationSource, TranslationThreadData } from './pipelines/translation/translation-thread.ts'

interface Known {
  readonly source: TranslationSource
  readonly info: RunnerModel
}

export class TranslationModels implements AsyncDisposable {
  readonly #known: ReadonlyMap<string, Known>
  readonly #client: TranslationClient

  private constructor(folders: readonly TranslationFolder[], data: TranslationThreadData) {
    this.#known = new Map(
      folders.map(({ folder, manifest }) => {
        const model = v.parse(publishedTranslationSchema, manifest)
        return [model.id, { source: { kind: 'folder', folder, parts: model.parts }, info: describe(model) }]
      }),
    )
    this.#client = new TranslationClient(data)
  }

  /** @param data own ones are in `translation/` of the model cache @throws if a manifest is not one */
  static async open(data: TranslationThreadData): Promise<TranslationModels> {
    const own = await translationsIn(path.join(data.files.root, 'translation'))
    return new TranslationModels([...own, ...(await bundledTranslations())], data)
  }

  describe(): RunnerModel[] {
    return [...this.#known.values()].map(({ info }) => info)
  }

  /** Requests that wait or run. */
  get requests(): number {
    return this.#client.requests
  }

  /** As `TranslationClient.translate`; @throws ApiError `model_not_found` too */
  translate(request: TranslateRequest, signal: AbortSignal): Promise<TranslateReply> {
    const { published } = request
    if (published) return this.#client.translate({ kind: 'published', parts: published }, request, signal)
    const known = this.#known.get(request.model)
    if (!known) {
      const message = `There is no model \`${request.model.slice(0, 100)}\` that translates.`
      throw new ApiError('model_not_found', message, { param: 'model' })
    }
    return this.#client.translate(known.source, request, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }
}

function describe({ id, created, parts }: PublishedTranslation): RunnerModel {
  const { languages, sourceLength, vocabulary, encoder, decoder } = parts
  const files = [vocabulary, encoder, decoder].map(({ sha256 }) => sha256).join(' ')
  return {
    id,
    created,
    ownedBy: 'tandem',
    task: 'translation',
    contextLength: sourceLength,
    fingerprint: `fp_${createHash('sha256').update(`${files} cpu`).digest('hex').slice(0, 12)}`,
    device: 'cpu',
    source_language: languages.source,
    target_language: languages.target,
  }
}

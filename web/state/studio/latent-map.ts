/** A set of pictures as points on a plane: a model's own, or somebody's, by where the model sees them. */
import { batch, signal } from '@preact/signals'
import { sampleLatents } from '../../transport/images.ts'
import { LatentsApi, MOST_LATENTS } from '../../transport/latents.ts'
import type { Http } from '../../transport/http.ts'
import type { TrainedModel } from '../../transport/trained-models.ts'
import { Task } from '../task.ts'
import type { Point } from './map-view.ts'
import type { Vector } from './vectors.ts'

export const METHODS = ['pca', 'umap'] as const
export type Method = (typeof METHODS)[number]

/** Of a map, as the API has it. */
export const MOST_PICTURES = 512
const SAMPLES = 120
/** In one request, as the API has it. */
const SAMPLES_AT_A_TIME = 10

export interface MapItem {
  readonly latent: Vector
  /** A PNG in base64. */
  readonly picture: string
}

export class LatentMap {
  readonly task = new Task()
  readonly items = signal<readonly MapItem[]>([])
  /** Where each item is. */
  readonly points = signal<readonly Point[]>([])
  readonly selected = signal<number | null>(null)
  readonly method = signal<Method>('pca')
  /** Of what is being read. */
  readonly progress = signal({ done: 0, total: 0 })
  readonly #http: Http
  readonly #api: LatentsApi

  constructor(http: Http) {
    this.#http = http
    this.#api = new LatentsApi(http)
  }

  /** Of what the model makes when it is told nothing. */
  async sample(model: TrainedModel): Promise<void> {
    await this.task.run(async (signal) => {
      const latents: Vector[] = []
      while (latents.length < SAMPLES) {
        this.progress.value = { done: latents.length, total: SAMPLES }
        latents.push(...(await sampleLatents(this.#http, model.id, SAMPLES_AT_A_TIME, signal)))
      }
      const pictures = await this.#inParts(latents, (part) => this.#api.decode(model.id, part, signal))
      const items = pictures.flatMap((decoded, i) =>
        'b64_json' in decoded ? [{ latent: latents[i] ?? [], picture: decoded.b64_json }] : [],
      )
      await this.#show(model, items, signal)
    })
  }

  /** @param read PNGs of the model's size, in base64 */
  async take(model: TrainedModel, read: () => Promise<readonly string[]>): Promise<void> {
    await this.task.run(async (signal) => {
      const pictures = await read()
      const latents = await this.#inParts(pictures, (images) => this.#api.encode(model.id, { images }, signal))
      await this.#show(
        model,
        pictures.map((picture, i) => ({ picture, latent: latents[i] ?? [] })),
        signal,
      )
    })
  }

  async arrange(model: TrainedModel, method: Method): Promise<void> {
    this.method.value = method
    if (this.items.value.length > 0) await this.task.run((signal) => this.#show(model, this.items.value, signal))
  }

  clear(): void {
    this.task.stop()
    batch(() => {
      this.task.failure.value = null
      this.items.value = []
      this.points.value = []
      this.selected.value = null
    })
  }

  async #show(model: TrainedModel, items: readonly MapItem[], signal: AbortSignal): Promise<void> {
    const latents = items.map(({ latent }) => latent)
    const points = await this.#api.map(model.id, latents, this.method.value, signal)
    batch(() => {
      this.items.value = items
      this.points.value = points
      this.selected.value ??= 0
    })
  }

  async #inParts<Item, Answer>(
    items: readonly Item[],
    ask: (part: readonly Item[]) => Promise<readonly Answer[]>,
  ): Promise<readonly Answer[]> {
    const answers: Answer[] = []
    while (answers.length < items.length) {
      this.progress.value = { done: answers.length, total: items.length }
      answers.push(...(await ask(items.slice(answers.length, answers.length + MOST_LATENTS))))
    }
    return answers
  }
}

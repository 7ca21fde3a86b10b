/** What the parts of the studio share: the models, and a picture on its way from one part to another. */
import { computed, type ReadonlySignal, signal } from '@preact/signals'
import type { Http } from '../../transport/http.ts'
import { readModels, type TrainedModel } from '../../transport/trained-models.ts'
import { sectionPath } from '../address.ts'
import { Task } from '../task.ts'

export const PARTS = ['generate', 'explore', 'map', 'anomalies', 'denoise'] as const
export type Part = (typeof PARTS)[number]

/** Which models a part works with. */
const WORKS_WITH: Readonly<Record<Part, (model: TrainedModel) => boolean>> = {
  generate: ({ task }) => task === 'gan' || task === 'vae',
  explore: ({ task }) => task === 'vae' || task === 'autoencoder',
  map: ({ task, input }) => input.kind === 'images' && (task === 'vae' || task === 'autoencoder'),
  anomalies: ({ task }) => task === 'autoencoder',
  denoise: ({ task }) => task === 'denoiser',
}

/** A PNG in base64, or a point of a model's latent space. */
export type Start = { readonly picture: string } | { readonly model: string; readonly latent: readonly number[] }

export function partsOf(model: TrainedModel): readonly Part[] {
  return PARTS.filter((part) => WORKS_WITH[part](model))
}

export function partPath(part: Part, model: string | null = null): string {
  const path = sectionPath('studio', part)
  return model === null ? path : `${path}?model=${encodeURIComponent(model)}`
}

export class Studio {
  readonly http: Http
  /** Null until they are known. */
  readonly models = signal<readonly TrainedModel[] | null>(null)
  readonly loading = new Task()
  /** Where Explore is to begin; it takes it. */
  readonly start = signal<Start | null>(null)
  readonly parts: ReadonlySignal<readonly Part[]> = computed(() =>
    PARTS.filter((part) => this.modelsFor(part).length > 0),
  )

  constructor(http: Http) {
    this.http = http
  }

  modelsFor(part: Part): readonly TrainedModel[] {
    const models = this.models.value?.filter(WORKS_WITH[part]) ?? []
    // What a GAN makes is sharper.
    return part === 'generate' ? models.toSorted((a, b) => Number(b.task === 'gan') - Number(a.task === 'gan')) : models
  }

  async load(): Promise<void> {
    await this.loading.run(async () => {
      this.models.value = (await readModels(this.http)).trained
    })
  }
}

/** Many rows or pictures, scored in batches: it can be stopped, and goes on from where it was. */
import { batch, computed, type ReadonlySignal, signal } from '@preact/signals'
import { text } from '../../text-studio.ts'
import { type Anomaly, scoreAnomalies } from '../../transport/anomalies.ts'
import type { Http } from '../../transport/http.ts'
import type { TrainedModel } from '../../transport/trained-models.ts'
import { Task } from '../task.ts'
import type { NumberTable } from './table.ts'

/** As the API has them; a body may have 4 MiB. */
const MOST_ROWS = 1024
const MOST_PICTURES = 64
const MOST_SAMPLES = 1 << 22
const MOST_NUMBERS = 160_000
const MOST_PICTURE_CHARACTERS = 3 << 20

export type Material =
  | { readonly kind: 'rows'; readonly table: NumberTable }
  /** PNGs of the model's size, in base64. */
  | { readonly kind: 'images'; readonly pictures: readonly string[] }

export class Scoring {
  readonly task = new Task()
  readonly material = signal<Material | null>(null)
  /** Of the first so many of the material, in its order. */
  readonly scored = signal<readonly Anomaly[]>([])
  readonly threshold = signal(0)
  /** The one that is looked at. */
  readonly selected = signal<number | null>(null)
  readonly total: ReadonlySignal<number> = computed(() => sizeOf(this.material.value))
  /** Highest score first: places in the material. */
  readonly order: ReadonlySignal<readonly number[]> = computed(() => {
    const scored = this.scored.value
    return scored.map((_, i) => i).sort((a, b) => (scored[b]?.score ?? 0) - (scored[a]?.score ?? 0))
  })
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  /** Reads what was given, and scores it. */
  async begin(model: TrainedModel, read: () => Promise<Material>): Promise<void> {
    await this.task.run(async (signal) => {
      const material = await read()
      signal.throwIfAborted()
      batch(() => {
        this.material.value = material
        this.scored.value = []
        this.selected.value = null
      })
      await this.#score(model, material, signal)
    })
  }

  async goOn(model: TrainedModel): Promise<void> {
    const material = this.material.value
    if (material) await this.task.run((signal) => this.#score(model, material, signal))
  }

  clear(): void {
    this.task.stop()
    batch(() => {
      this.task.failure.value = null
      this.material.value = null
      this.scored.value = []
      this.selected.value = null
    })
  }

  async #score(model: TrainedModel, material: Material, signal: AbortSignal): Promise<void> {
    for (let from = this.scored.value.length; from < sizeOf(material); from = this.scored.value.length) {
      const { threshold, data } = await scoreAnomalies(this.#http, model.id, nextOf(material, from, model), signal)
      if (data.length === 0) return
      batch(() => {
        this.threshold.value = threshold
        this.scored.value = [...this.scored.value, ...data]
      })
    }
    this.selected.value ??= this.order.value[0] ?? null
  }
}

/** How an item is called. */
export function nameOf(material: Material, index: number): string {
  const words = text.anomalies
  return material.kind === 'rows' ? words.line(material.table.lines[index] ?? 0) : words.pictureAt(index + 1)
}

function sizeOf(material: Material | null): number {
  if (!material) return 0
  return material.kind === 'rows' ? material.table.rows.length : material.pictures.length
}

/** What the next request holds. */
function nextOf(material: Material, from: number, { input }: TrainedModel) {
  if (material.kind === 'rows') {
    const atATime = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_NUMBERS / material.table.columns.length)))
    return { rows: material.table.rows.slice(from, from + atATime) }
  }
  const samples = input.kind === 'images' ? input.channels * input.height * input.width : 1
  const images: string[] = []
  let characters = 0
  for (const picture of material.pictures.slice(
    from,
    from + Math.min(MOST_PICTURES, Math.floor(MOST_SAMPLES / samples)),
  )) {
    characters += picture.length
    if (images.length > 0 && characters > MOST_PICTURE_CHARACTERS) break
    images.push(picture)
  }
  return { images }
}

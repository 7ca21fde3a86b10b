/** A walk through a model's latent space: where one stands, what is there, and the directions one may take. */
import { batch, computed, type ReadonlySignal, signal } from '@preact/signals'
import type { Http } from '../../transport/http.ts'
import { sampleLatents } from '../../transport/images.ts'
import { type Decoded, type Encodable, LatentsApi, MOST_LATENTS } from '../../transport/latents.ts'
import type { TrainedModel } from '../../transport/trained-models.ts'
import { Task } from '../task.ts'
import { type Direction, directionsFrom, probes } from './directions.ts'
import { decoders, type Place } from './decoders.ts'
import { Newest } from './newest.ts'
import { readPixels } from './pictures.ts'
import type { Studio } from './studio.ts'
import { dot, normalVector, plus, spherical, type Vector } from './vectors.ts'

/** Pixels times channels of the images of one request, as the API has it. */
const MOST_SAMPLES = 1 << 22

/** A place that was kept, and what is there. */
export interface Kept {
  readonly latent: Vector
  readonly decoded: Decoded
}

interface Question {
  readonly model: TrainedModel
  readonly latent: Vector
  readonly where: Place
}
interface Answer {
  readonly decoded: Decoded
  readonly milliseconds: number
}

export class Exploration {
  readonly model = signal<TrainedModel | null>(null)
  readonly latent = signal<Vector>([])
  readonly shown = signal<Decoded | null>(null)
  /** Where the last picture was decoded, and how long it took from asking to having it. */
  readonly decodedIn = signal<{ where: Place; milliseconds: number } | null>(null)
  /** Where the next ones are. */
  readonly where = signal<Place>('edge')
  /** Null until they are found. */
  readonly directions = signal<readonly Direction[] | null>(null)
  /** The lowest and highest value of each column that the probes met. */
  readonly ranges = signal<readonly (readonly [number, number])[]>([])
  readonly ends = signal<readonly [Kept | null, Kept | null]>([null, null])
  readonly between = signal(0.5)
  readonly failure: ReadonlySignal<Error | null> = computed(
    () => this.#decoding.value ?? this.#finding.failure.value ?? this.#encoding.failure.value,
  )
  readonly #decoding = signal<Error | null>(null)
  readonly #finding = new Task()
  readonly #encoding = new Task()
  readonly #http: Http
  readonly #api: LatentsApi
  readonly #decoder: Newest<Question, Answer>
  readonly #random: () => number

  constructor({ http }: Pick<Studio, 'http'>, random: () => number = Math.random) {
    this.#http = http
    this.#api = new LatentsApi(http)
    const decode = decoders(http)
    this.#random = random
    this.#decoder = new Newest({
      ask: async ({ model, latent, where }) => {
        const started = performance.now()
        const decoded = await decode[where](model, latent)
        return { decoded, milliseconds: performance.now() - started }
      },
      onAnswer: ({ decoded, milliseconds }, { model, where }) =>
        batch(() => {
          if (model.id !== this.model.value?.id) return
          this.shown.value = decoded
          this.decodedIn.value = { where, milliseconds }
          this.#decoding.value = null
        }),
      onFailure: (error) => {
        this.#decoding.value = error instanceof Error ? error : new Error(String(error))
      },
    })
  }

  choose(model: TrainedModel): void {
    if (model.id === this.model.value?.id) return
    batch(() => {
      this.model.value = model
      this.shown.value = null
      this.directions.value = null
      this.ends.value = [null, null]
    })
    this.goTo(Array.from({ length: model.latents ?? 0 }, () => 0))
    void this.#finding.run((signal) => this.#findDirections(model, signal))
  }

  goTo(latent: Vector): void {
    const model = this.model.value
    if (!model) return
    this.latent.value = latent
    this.#decoder.ask({ model, latent, where: model.decoder ? this.where.value : 'edge' })
  }

  decodeIn(where: Place): void {
    this.where.value = where
    this.goTo(this.latent.value)
  }

  /** Where the model says that there is something, if it knows; else anywhere. */
  async goSomewhere(): Promise<void> {
    const model = this.model.value
    if (!model?.conditions) return this.goTo(normalVector(this.latent.value.length, this.#random))
    await this.#encoding.run(async (signal) => {
      const [latent] = await sampleLatents(this.#http, model.id, 1, signal)
      if (latent && model.id === this.model.value?.id) this.goTo(latent)
    })
  }

  goToMiddle(): void {
    this.goTo(this.latent.value.map(() => 0))
  }

  /** How far along a direction one stands. */
  along({ vector }: Direction): number {
    return dot(this.latent.value, vector)
  }

  move(direction: Direction, to: number): void {
    this.goTo(plus(this.latent.value, direction.vector, to - this.along(direction)))
  }

  /** Goes to where the model sees a picture, or a row. */
  async begin(read: (model: TrainedModel) => Promise<Encodable>): Promise<void> {
    const model = this.model.value
    if (!model) return
    await this.#encoding.run(async (signal) => {
      const [mean] = await this.#api.encode(model.id, await read(model), signal)
      if (mean && model.id === this.model.value?.id) this.goTo(mean)
    })
  }

  keep(end: 0 | 1): void {
    const { value: decoded } = this.shown
    if (!decoded) return
    const place: Kept = { latent: this.latent.value, decoded }
    const [first, second] = this.ends.value
    this.ends.value = end === 0 ? [place, second] : [first, place]
  }

  /** Goes to the place between the two that were kept, at `t` from 0 to 1. */
  goBetween(t: number): void {
    const [first, second] = this.ends.value
    if (!first || !second) return
    this.between.value = t
    this.goTo(spherical(first.latent, second.latent, t))
  }

  async #findDirections(model: TrainedModel, signal: AbortSignal): Promise<void> {
    const { input, latents = 0 } = model
    const samples = input.kind === 'images' ? input.channels * input.height * input.width : input.columns.length
    const atATime = Math.min(MOST_LATENTS, Math.floor(MOST_SAMPLES / samples))
    const points = probes(latents)
    const decoded: Decoded[] = []
    for (let from = 0; from < points.length; from += atATime) {
      decoded.push(...(await this.#api.decode(model.id, points.slice(from, from + atATime), signal)))
    }
    const numbers = await Promise.all(decoded.map(numbersOf))
    const ranges = input.kind === 'rows' ? rangesOf(numbers) : []
    const scaled = numbers.map((row) =>
      input.kind === 'rows' ? Array.from(row, (value, i) => value / widthOf(ranges[i])) : row,
    )
    signal.throwIfAborted()
    batch(() => {
      this.ranges.value = ranges
      this.directions.value = directionsFrom(scaled)
    })
  }
}

async function numbersOf(decoded: Decoded): Promise<ArrayLike<number>> {
  return 'row' in decoded ? decoded.row : (await readPixels(decoded.b64_json)).data
}

function rangesOf(rows: readonly ArrayLike<number>[]): readonly (readonly [number, number])[] {
  return Array.from(rows[0] ?? [], (_, column) => {
    const values = rows.map((row) => row[column] ?? 0)
    return [Math.min(...values), Math.max(...values)] as const
  })
}

/** Columns are compared by how far each goes, whatever its unit. */
function widthOf([low, high]: readonly [number, number] = [0, 1]): number {
  return high > low ? high - low : 1
}

/** Generators in memory, by the hash of their files: within bounds, the one used longest ago makes room. */
import { normals } from '#models/random/normal.ts'
import { conditionOf, sizeOf } from '#models/text/condition.ts'
import { ApiError } from '#protocol/error.ts'
import type { ImageWork } from '#protocol/image-work.ts'
import type { ModelFile } from '#protocol/published-model.ts'
import type { Binding } from '../runtime/binding.ts'
import type { Runtime, Session } from '../runtime/runtime.ts'
import type { Tensor } from '../runtime/tensor.ts'

/** Of their files. */
const MOST_BYTES = 512 << 20

type Work = Pick<ImageWork, 'generator' | 'input' | 'latents' | 'conditions' | 'prompt'>

export interface GeneratorsOptions {
  readonly ort: Runtime
  /** A file's bytes, which are what its hash says. */
  readonly read: (file: ModelFile) => Promise<Uint8Array>
  readonly mostBytes?: number
}

export class Generators implements Disposable {
  readonly #options: GeneratorsOptions
  /** The one used longest ago first. */
  readonly #loaded = new Map<string, Generator>()

  constructor(options: GeneratorsOptions) {
    this.#options = options
  }

  /**
   * Draws one picture. Alone: in company it could be another one by its last bits.
   * @param seed a whole number of 32 bits
   * @returns [channels, height, width] in [0, 1]
   * @throws ApiError `model_unavailable` if the file cannot be had or is not what the work says, `invalid_value` if there
   *   is no class of the prompt's name, `unprocessable` if what it computes are no numbers
   */
  async draw(work: Work, seed: number): Promise<Float32Array> {
    const condition = work.conditions && conditionOf(work.conditions, work.prompt, seed)
    if (condition === null) throw new ApiError('invalid_value', 'The model has no such class.', { param: 'prompt' })
    const generator = await this.#generator(work)
    const images = generator.run(normals(seed), condition)
    if (!images.every(Number.isFinite)) {
      throw new ApiError('unprocessable', 'The model computes no finite numbers from this input.')
    }
    return images
  }

  async #generator(work: Work): Promise<Generator> {
    const { sha256, bytes } = work.generator
    // Two that name one file may differ in what they say of it.
    const key = JSON.stringify([sha256, work.input, work.latents, work.conditions && sizeOf(work.conditions)])
    const known = this.#loaded.get(key)
    if (known) {
      this.#loaded.delete(key)
      this.#loaded.set(key, known)
      return known
    }
    const { ort, read, mostBytes = MOST_BYTES } = this.#options
    const file = await read(work.generator)
    let held = bytes + [...this.#loaded.values()].reduce((sum, loaded) => sum + loaded.bytes, 0)
    for (const [other, loaded] of this.#loaded) {
      if (held <= mostBytes) break
      this.#loaded.delete(other)
      held -= loaded.bytes
      loaded[Symbol.dispose]()
    }
    const generator = openGenerator(ort, work, file)
    this.#loaded.set(key, generator)
    return generator
  }

  [Symbol.dispose](): void {
    for (const generator of this.#loaded.values()) generator[Symbol.dispose]()
    this.#loaded.clear()
  }
}

/** @throws ApiError `model_unavailable` if it is not what the work says */
function openGenerator(ort: Runtime, work: Work, file: Uint8Array): Generator {
  try {
    return new Generator(ort, work, file)
  } catch (cause) {
    const message = `The model's file ${work.generator.sha256} is not the generator that its manifest says.`
    throw new ApiError('model_unavailable', message, { cause })
  }
}

class Generator implements Disposable {
  readonly bytes: number
  readonly #latents: Tensor<'float32'>
  readonly #condition: Tensor<'float32'> | undefined
  readonly #images: Tensor<'float32'>
  readonly #session: Session
  readonly #binding: Binding

  constructor(ort: Runtime, { generator, input, latents, conditions }: Work, file: Uint8Array) {
    this.bytes = generator.bytes
    using owned = new DisposableStack()
    this.#session = owned.use(ort.session(file))
    this.#latents = owned.use(ort.tensor('float32', [1, latents]))
    this.#condition = conditions && owned.use(ort.tensor('float32', [1, sizeOf(conditions)]))
    this.#images = owned.use(ort.tensor('float32', [1, input.channels, input.height, input.width]))
    const inputs = { latents: this.#latents, ...(this.#condition ? { condition: this.#condition } : {}) }
    this.#binding = owned.use(this.#session.bind(inputs, { images: this.#images }))
    // What a manifest says wrongly shows at the first run.
    this.#binding.run()
    owned.move()
  }

  /** @param noise normal numbers, one after the other */
  run(noise: () => number, condition: Float32Array | undefined): Float32Array {
    const latents = this.#latents.data
    for (let i = 0; i < latents.length; i++) latents[i] = noise()
    if (condition) this.#condition?.data.set(condition)
    this.#binding.run()
    return Float32Array.from(this.#images.data)
  }

  [Symbol.dispose](): void {
    this.#binding[Symbol.dispose]()
    this.#latents[Symbol.dispose]()
    this.#condition?.[Symbol.dispose]()
    this.#images[Symbol.dispose]()
    this.#session[Symbol.dispose]()
  }
}

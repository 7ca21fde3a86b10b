/**
 * Models in memory, within bounds: the one used longest ago makes room. One that is translating stays; who wants another while
 * all that are there translate waits until one of them is done.
 */
import type { TextTranslator } from './text-translator.ts'

export interface Bounds {
  readonly mostModels: number
  /** Of their files. */
  readonly mostBytes: number
}

interface Loaded {
  readonly bytes: number
  readonly loading: Promise<TextTranslator>
  /** That translate with it, or wait for it. */
  users: number
}

export class LoadedTranslators implements Disposable {
  readonly #bounds: Bounds
  /** The one used longest ago first. */
  readonly #loaded = new Map<string, Loaded>()
  #left = Promise.withResolvers<void>()

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  /** Keys of those that are there. */
  get keys(): readonly string[] {
    return [...this.#loaded.keys()]
  }

  /**
   * Gives a model to `work`, for as long as that lasts.
   * @param key of the model
   * @throws what `load` and `work` do; a model that could not be loaded is tried again for the next
   */
  async use<T>(
    { key, bytes, load }: { key: string; bytes: number; load: () => Promise<TextTranslator> },
    work: (translator: TextTranslator) => Promise<T>,
  ): Promise<T> {
    while (!this.#loaded.has(key) && !this.#makeRoom(bytes)) await this.#left.promise
    const model = this.#loaded.get(key) ?? { bytes, loading: load(), users: 0 }
    this.#loaded.delete(key)
    this.#loaded.set(key, model)
    model.users++
    try {
      const translator = await model.loading.catch((error: unknown) => {
        if (this.#loaded.get(key) === model) this.#loaded.delete(key)
        throw error
      })
      return await work(translator)
    } finally {
      model.users--
      this.#left.resolve()
      this.#left = Promise.withResolvers()
    }
  }

  /** @returns whether there is room now */
  #makeRoom(bytes: number): boolean {
    const { mostModels, mostBytes } = this.#bounds
    let held = [...this.#loaded.values()].reduce((sum, model) => sum + model.bytes, 0)
    for (const [key, model] of this.#loaded) {
      if (this.#loaded.size < mostModels && held + bytes <= mostBytes) return true
      if (model.users > 0) continue
      this.#loaded.delete(key)
      held -= model.bytes
      dispose(model)
    }
    // One that is larger than all may be is had alone.
    return this.#loaded.size === 0 || (this.#loaded.size < mostModels && held + bytes <= mostBytes)
  }

  [Symbol.dispose](): void {
    for (const model of this.#loaded.values()) dispose(model)
    this.#loaded.clear()
  }
}

function dispose({ loading }: Loaded): void {
  loading.then(
    (translator) => translator[Symbol.dispose](),
    // Who waited for it was told.
    () => {},
  )
}

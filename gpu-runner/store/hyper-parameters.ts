/** A checkpoint's hyperparameters: metadata keys that begin with its architecture, read into what they have to be. */
import type { GgufFile, GgufValue } from '#models/importers/gguf.ts'
import { StoreError } from './store-error.ts'

/** Each method throws a StoreError naming the key, if it is missing and there is no `fallback`, or of another kind. */
export class HyperParameters {
  readonly #metadata: GgufFile['metadata']
  readonly #prefix: string

  constructor({ metadata }: GgufFile) {
    this.#metadata = metadata
    this.#prefix = `${metadata.get('general.architecture')}.`
  }

  has(key: string): boolean {
    return this.#metadata.has(this.#prefix + key)
  }

  /** A whole number of at least 1. */
  count(key: string, fallback?: number): number {
    const value = this.#get(key) ?? fallback ?? this.#missing(key)
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value
    throw this.wrong(key, `${value}, no whole number above 0`)
  }

  positive(key: string, fallback?: number): number {
    const value = this.#get(key) ?? fallback ?? this.#missing(key)
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
    throw this.wrong(key, `${value}, no number above 0`)
  }

  text(key: string, fallback: string): string {
    const value = this.#get(key) ?? fallback
    if (typeof value === 'string') return value
    throw this.wrong(key, `${value}, no text`)
  }

  /** What to throw for a key that makes no sense: "the metadata's KEY is WHAT". */
  wrong(key: string, what: string): StoreError {
    return new StoreError('invalid_model', `the metadata's ${this.#prefix}${key} is ${what}`)
  }

  #get(key: string): GgufValue | undefined {
    return this.#metadata.get(this.#prefix + key)
  }

  #missing(key: string): never {
    throw new StoreError('invalid_model', `the metadata lacks ${this.#prefix}${key}`)
  }
}

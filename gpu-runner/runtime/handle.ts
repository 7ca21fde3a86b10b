import type { Ptr } from './ort-c-api.ts'

/** Owns a native object: throws when it is used after release, and refuses release while something holds it. */
export class Handle<T extends string> {
  readonly #what: string
  readonly #free: (pointer: Ptr<T>) => void
  #pointer: Ptr<T> | undefined
  #holds = 0

  constructor(what: string, pointer: Ptr<T>, free: (pointer: Ptr<T>) => void) {
    this.#what = what
    this.#pointer = pointer
    this.#free = free
  }

  get pointer(): Ptr<T> {
    if (this.#pointer === undefined) throw new TypeError(`${this.#what} used after dispose`)
    return this.#pointer
  }

  /** Keeps the object until the result is disposed. */
  hold(): Disposable {
    let holding = this.pointer !== undefined
    this.#holds++
    return {
      [Symbol.dispose]: () => {
        if (holding) this.#holds--
        holding = false
      },
    }
  }

  release(): void {
    if (this.#pointer === undefined) return
    if (this.#holds > 0) throw new TypeError(`${this.#what} disposed while in use`)
    this.#free(this.#pointer)
    this.#pointer = undefined
  }
}

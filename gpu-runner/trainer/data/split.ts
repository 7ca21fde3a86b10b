/** Which items are for training and which for validation, and in what order they are learned: by the seed alone. */
import { Random } from '../random.ts'

export interface Split {
  readonly training: Uint32Array
  readonly validation: Uint32Array
}

/** @param share of the items that are for validation; at least one is, and at least one is not */
export function split(count: number, share: number, seed: number): Split {
  if (count < 2) throw new RangeError(`a data set of ${count} cannot be split in two`)
  const order = new Random(seed, 2).shuffle(Uint32Array.from({ length: count }, (_, i) => i))
  const held = Math.min(count - 1, Math.max(1, Math.round(share * count)))
  return { validation: order.slice(0, held).sort(), training: order.slice(held).sort() }
}

/** The items of each step, in an order of their own each epoch; what does not fill a batch waits for another epoch. */
export class Batches {
  readonly stepsPerEpoch: number
  readonly #items: Uint32Array
  readonly #batch: number
  readonly #seed: number
  #epoch = -1
  #order: Uint32Array = new Uint32Array()

  constructor(items: Uint32Array, batch: number, seed: number) {
    if (items.length < batch) throw new RangeError(`${items.length} items do not fill a batch of ${batch}`)
    this.#items = items
    this.#batch = batch
    this.#seed = seed
    this.stepsPerEpoch = Math.floor(items.length / batch)
  }

  /** @param step from 1 */
  at(step: number): Uint32Array {
    const epoch = Math.floor((step - 1) / this.stepsPerEpoch)
    if (epoch !== this.#epoch) {
      this.#order = new Random(this.#seed, 3, epoch).shuffle(this.#items.slice())
      this.#epoch = epoch
    }
    const begin = ((step - 1) % this.stepsPerEpoch) * this.#batch
    return this.#order.subarray(begin, begin + this.#batch)
  }
}

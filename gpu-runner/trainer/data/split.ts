/** Which items are for training and which for validation, and in what order they are learned: by the seed alone. */
import { Random } from '../random.ts'
import type { DataSet, ImageSet, PairSet, RowSet } from './data-set.ts'
import { DataSetError, shown } from './data-set-error.ts'

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

/** As many of the items for each epoch, none of them in two; a few may be in none. */
export function shares<Item>(items: readonly Item[], epochs: number, seed: number): readonly (readonly Item[])[] {
  const order = new Random(seed, 6).shuffle(Uint32Array.from(items, (_, i) => i))
  const each = Math.floor(items.length / epochs)
  return Array.from({ length: epochs }, (_, epoch) =>
    Array.from(order.subarray(epoch * each, (epoch + 1) * each), (i) => items[i] as Item),
  )
}

/**
 * Data that is for training and data that is for validation, as one set.
 * @throws DataSetError if the one has other columns or classes than the other
 */
export function together(training: DataSet, validation: DataSet): { data: DataSet; parts: Split } {
  const [first, count] = [training.count, training.count + validation.count]
  const all = Uint32Array.from({ length: count }, (_, i) => i)
  const parts = { training: all.subarray(0, first), validation: all.subarray(first) }
  if (training.kind === 'rows' && validation.kind === 'rows') {
    const names = ({ columns }: RowSet) => columns.map(({ name }) => name).join(', ')
    if (names(training) !== names(validation)) throw unlike('columns', names(training), names(validation))
    const labels = training.labels && validation.labels && joined(training.labels, validation.labels, Uint8Array)
    const values = joined(training.values, validation.values, Float32Array)
    const { columns } = training
    return { parts, data: { kind: 'rows', count, columns, values, ...(labels && { labels }) } }
  }
  if (training.kind === 'pairs' && validation.kind === 'pairs') {
    const names = ({ languages: { source, target } }: PairSet) => `${source}-${target}`
    if (names(training) !== names(validation)) throw unlike('languages', names(training), names(validation))
    const source = [...training.source, ...validation.source]
    const target = [...training.target, ...validation.target]
    return { parts, data: { ...training, count, source, target } }
  }
  if (training.kind !== 'images' || validation.kind !== 'images') {
    throw new DataSetError('unreadable', 'The validation data is of another kind than the training data.')
  }
  const names = ({ classes = [] }: ImageSet) => classes.join(', ')
  if (names(training) !== names(validation)) throw unlike('classes', names(training), names(validation))
  const { channels, height, width, classes } = training
  const pixels = joined(training.pixels, validation.pixels, Uint8Array)
  const labels = training.labels && validation.labels && joined(training.labels, validation.labels, Int32Array)
  const captions = training.captions && validation.captions && [...training.captions, ...validation.captions]
  const size = { channels, height, width }
  const told = { ...(classes && labels && { classes, labels }), ...(captions && { captions }) }
  return { parts, data: { kind: 'images', count, ...size, pixels, ...told } }
}

function unlike(what: string, training: string, validation: string): DataSetError {
  const message = `The validation data has the ${what} ${shown(validation)}, the training data ${shown(training)}.`
  return new DataSetError('unknown_column', message)
}

function joined<T extends Uint8Array | Int32Array | Float32Array>(
  first: T,
  second: T,
  type: new (length: number) => T,
): T {
  const whole = new type(first.length + second.length)
  whole.set(first)
  whole.set(second, first.length)
  return whole
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

/** How an architecture gets its parameters: by checkpoint name, in a form that the graph's operators take as it is. */

/**
 * A matrix [rows, columns] whose rows are cut into blocks: element = scale · (code − 128), or with an `offset`,
 * scale · (code − 8) + offset. This is what MatMulNBits and GatherBlockQuantized read.
 */
export interface BlockQuantized {
  /** [rows, blocks, blockSize · bits / 8]; 4-bit codes lie two to a byte, the even column in the low half. */
  readonly codes: Uint8Array
  /** [rows, blocks] */
  readonly scales: Float32Array
}

export interface Matrix {
  readonly name: string
  readonly rows: number
  readonly columns: number
  readonly bits: 8
  readonly blockSize: number
  /** Reads and converts the elements; called when the graph is written. */
  load(): BlockQuantized
}

export interface Parameters {
  /** One matrix, or several of equal width stacked by rows. Throws if a name is not in the checkpoint. */
  matrix(...names: string[]): Matrix
  vector(name: string): Float32Array
}

/** How an architecture gets its parameters: by checkpoint name, in a form that the graph's operators take as it is. */

/** Columns of a matrix that share a scale. */
export const BLOCK_SIZE = 32

/**
 * A matrix [rows, columns] whose rows are cut into blocks. With 8 bits, element = scale · (code − 128); with 4,
 * element = scale · (code − 8) + offset. The codes are what MatMulNBits and GatherBlockQuantized read.
 */
export interface BlockQuantized {
  /** [rows, blocks, BLOCK_SIZE · bits / 8]; 4-bit codes lie two to a byte, the even column in the low half. */
  readonly codes: Uint8Array
  /** [rows, blocks] */
  readonly scales: Float32Array
  /** [blocks, rows]; empty with 8 bits. */
  readonly offsets: Float32Array
}

export interface Matrix {
  readonly name: string
  readonly rows: number
  /** A multiple of BLOCK_SIZE. */
  readonly columns: number
  readonly bits: 4 | 8
  /** Reads and converts the elements; called when the graph is written. */
  load(): BlockQuantized
}

/** Each throws if a name is not in the checkpoint, or there of another shape. */
export interface Parameters {
  matrix(columns: number, name: string, rows: number): Matrix
  /**
   * Matrices that read the same input, stacked in the order given, into as few as hold each with its own bits; `rows`
   * has the rows of each by its name.
   */
  stack(columns: number, rows: Readonly<Record<string, number>>): readonly Matrix[]
  /** A matrix whose rows are looked up, and so of 8 bits. */
  table(columns: number, name: string, rows: number): Matrix & { readonly bits: 8 }
  vector(name: string, length: number): Float32Array
}

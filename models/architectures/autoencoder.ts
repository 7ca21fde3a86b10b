/**
 * Autoencoders (Hinton and Salakhutdinov 2006, https://doi.org/10.1126/science.1127647): of rows of numbers by linear
 * layers, of images by strided convolutions. What such a model rebuilds badly is unlike what it learned.
 */
import { mul, sigmoid, sub, sum } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { type Layers, linear } from '../nn/layers.ts'

export interface AutoencoderConfig {
  readonly columns: number
  readonly latents: number
  /** Widths from the input to the latents; the decoder has them backwards. */
  readonly hidden: readonly number[]
  /** What the output is: numbers of any size, or between 0 and 1. */
  readonly output: 'linear' | 'sigmoid'
}

const relu = (g: GraphBuilder, x: Value): Value => g.op('Relu', [x], {})[0]

/** rows [rows, columns] → [rows, latents] */
export function encodeRows(layers: Layers, { hidden, latents }: AutoencoderConfig, rows: Value): Value {
  let x = rows
  for (const [i, width] of hidden.entries()) x = relu(layers.g, linear(layers, `encoder.${i}`, x, width))
  return linear(layers, 'encoder.out', x, latents)
}

/** [rows, latents] → [rows, columns] */
export function decodeRows(layers: Layers, { hidden, columns, output }: AutoencoderConfig, latents: Value): Value {
  let x = latents
  for (const [i, width] of hidden.toReversed().entries()) x = relu(layers.g, linear(layers, `decoder.${i}`, x, width))
  const y = linear(layers, 'decoder.out', x, columns)
  return output === 'sigmoid' ? sigmoid(layers.g, y) : y
}

export const rebuildRows = (layers: Layers, config: AutoencoderConfig, rows: Value): Value =>
  decodeRows(layers, config, encodeRows(layers, config, rows))

/** Squared errors [rows, columns], and their mean for each row, [rows, 1]. */
export function errorsOf(g: GraphBuilder, rows: Value, rebuilt: Value): { errors: Value; scores: Value } {
  const difference = sub(g, rebuilt, rows)
  const errors = mul(g, difference, difference)
  return { errors, scores: mul(g, sum(g, errors, [1]), 1 / Number(rows.shape[1])) }
}

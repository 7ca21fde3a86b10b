/** What a published scorer says of data. */
import type { Runtime } from '../../runtime/runtime.ts'
import { compute, joined } from '../compute.ts'
import type { ImageSet, RowSet } from '../data/data-set.ts'
import { planesOf } from '../tasks/pixels.ts'

/** Numbers that are scored at once, about. */
const MOST_AT_ONCE = 2 ** 20

/** The scores of items, in order. @param scorer an ONNX file's bytes */
export function scoresOf(ort: Runtime, scorer: Uint8Array, data: ImageSet | RowSet, items: Uint32Array): Float32Array {
  const shape = data.kind === 'rows' ? [data.columns.length] : [data.channels, data.height, data.width]
  const size = shape.reduce((a, b) => a * b, 1)
  const most = Math.max(1, Math.floor(MOST_AT_ONCE / size))
  const parts: Float32Array[] = []
  for (let at = 0; at < items.length; at += most) {
    const some = items.subarray(at, at + most)
    const values = data.kind === 'rows' ? rowsOf(data.values, size, some) : planesOf(data, some)
    const input = { [data.kind]: { data: values, shape: [some.length, ...shape] } }
    const wanted = { scores: [some.length], errors: [some.length, ...shape] }
    parts.push(compute(ort, scorer, input, wanted).scores)
  }
  return joined(parts)
}

function rowsOf(values: Float32Array, columns: number, items: Uint32Array): Float32Array {
  const rows = new Float32Array(items.length * columns)
  for (const [i, item] of items.entries()) rows.set(values.subarray(item * columns, (item + 1) * columns), i * columns)
  return rows
}

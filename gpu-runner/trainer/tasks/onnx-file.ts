import { createHash } from 'node:crypto'
import { encodeModel } from '#models/graph/encode.ts'
import type { Graph } from '#models/graph/graph.ts'
import type { ModelFile } from '#protocol/published-model.ts'

/** A graph as one file, and what a manifest says of it. */
export function onnxFile(graph: Graph): { readonly bytes: Uint8Array; readonly file: ModelFile } {
  const bytes = encodeModel(graph)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { bytes, file: { sha256, bytes: bytes.byteLength } }
}

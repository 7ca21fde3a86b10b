import { createHash } from 'node:crypto'
import { encodeModel } from '#models/graph/encode.ts'
import type { Graph } from '#models/graph/graph.ts'
import type { ModelFile } from '#protocol/published-model.ts'

/** A file, and what a manifest says of it. */
export interface WrittenFile {
  readonly bytes: Uint8Array
  readonly file: ModelFile
}

export function writtenFile(bytes: Uint8Array): WrittenFile {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { bytes, file: { sha256, bytes: bytes.byteLength } }
}

/** A graph as one file. */
export const onnxFile = (graph: Graph): WrittenFile => writtenFile(encodeModel(graph))

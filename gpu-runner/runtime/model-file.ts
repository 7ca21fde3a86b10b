/** Writes graphs as the files that sessions are made from. */
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ExternalData, encodeModel } from '#models/graph/encode.ts'
import type { Graph } from '#models/graph/graph.ts'

/** A session of a graph that is in memory: its files are gone when `make` is done with them. */
export function fromGraph<T>(graph: Graph, make: (file: string) => T): T {
  const folder = mkdtempSync(path.join(tmpdir(), 'tandem-graph-'))
  try {
    const external = new ExternalData('weights.bin')
    writeFileSync(path.join(folder, 'model.onnx'), encodeModel(graph, external))
    const weights = openSync(path.join(folder, 'weights.bin'), 'w')
    try {
      for (const { offset, byteLength, data } of external.tensors) {
        const view = data()
        ftruncateSync(weights, offset + byteLength)
        writeSync(weights, new Uint8Array(view.buffer, view.byteOffset, view.byteLength), 0, byteLength, offset)
      }
    } finally {
      closeSync(weights)
    }
    return make(path.join(folder, 'model.onnx'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

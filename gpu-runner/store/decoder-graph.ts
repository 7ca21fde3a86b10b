/**
 * The decoder graph of a checkpoint, built once and kept in the model cache.
 *
 * The folder's name has the checkpoint's hash and the layout's version; it appears by one rename when it is whole.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import type { DecoderConfig } from '#models/architectures/decoder-blocks.ts'
import { type ExternalTensor, encodeModel } from '#models/graph/encode.ts'
import { parseGguf } from '#models/importers/gguf.ts'
import { decoderModel } from './decoder-families.ts'
import { ggufParameters } from './gguf-checkpoint.ts'
import { openRangeReader } from './range-reader.ts'

/** Raised when the graph or the layout of its weights changes, so that cached ones are built anew. */
const LAYOUT = 4
const MODEL = 'model.onnx'
const WEIGHTS = 'weights.bin'

export interface DecoderGraph {
  /** The ONNX file. */
  readonly path: string
  readonly config: DecoderConfig
}

/**
 * @param ggufPath a verified checkpoint
 * @param sha256 its hash
 * @throws StoreError `invalid_model` if it is of no family that is known here, or not as its family has to be
 */
export function ensureDecoderGraph(ggufPath: string, sha256: string): DecoderGraph {
  using reader = openRangeReader(ggufPath)
  const file = parseGguf(reader)
  const { config, build } = decoderModel(file)
  const parent = path.dirname(ggufPath)
  const folder = path.join(parent, `graph-${sha256.slice(0, 16)}-v${LAYOUT}`)
  const graph = { path: path.join(folder, MODEL), config }
  if (existsSync(graph.path)) return graph
  mkdirSync(parent, { recursive: true })
  const part = mkdtempSync(path.join(parent, 'graph-part-'))
  try {
    const parameters = ggufParameters(file, reader)
    const { model, external } = encodeModel(build(parameters), WEIGHTS)
    parameters.requireAllUsed()
    writeWeights(path.join(part, WEIGHTS), external)
    writeFileSync(path.join(part, MODEL), model, { flush: true })
    renameSync(part, folder)
  } catch (error) {
    rmSync(part, { recursive: true, force: true })
    // Another process may have finished the same graph first.
    if (!existsSync(graph.path)) throw error
  }
  return graph
}

function writeWeights(file: string, external: readonly ExternalTensor[]): void {
  const descriptor = openSync(file, 'w')
  try {
    for (const { offset, data } of external) {
      const { buffer, byteOffset, byteLength } = data()
      const view = new Uint8Array(buffer, byteOffset, byteLength)
      for (let done = 0; done < byteLength; ) {
        done += writeSync(descriptor, view, done, byteLength - done, offset + done)
      }
    }
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

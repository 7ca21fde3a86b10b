/**
 * The decoder graphs of a checkpoint, built once and kept in the model cache: one to prefill, one to decode, their weights
 * in one file.
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
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import type { DecoderConfig, KvElement, Phase } from '#models/architectures/decoder-blocks.ts'
import { ExternalData, type ExternalTensor, encodeModel } from '#models/graph/encode.ts'
import { parseGguf } from '#models/importers/gguf.ts'
import { decoderModel } from './decoder-families.ts'
import { ggufParameters } from './gguf-checkpoint.ts'
import { openRangeReader } from './range-reader.ts'

/** Raised when the graph or the layout of its weights changes, so that cached ones are built anew. */
const LAYOUT = 6
const PHASES = ['prefill', 'decode'] as const
/** What attention computes in; the weights are the same. */
const KV_ELEMENTS = ['float32', 'float16'] as const

export interface DecoderGraphs {
  /** The ONNX files. */
  readonly paths: Readonly<Record<Phase, string>>
  readonly config: DecoderConfig
}

/**
 * @param ggufPath a verified checkpoint
 * @param sha256 its hash
 * @param kvElement what attention is to compute in
 * @throws StoreError `invalid_model` if it is of no family that is known here, or not as its family has to be
 */
export function ensureDecoderGraphs(ggufPath: string, sha256: string, kvElement: KvElement): DecoderGraphs {
  using reader = openRangeReader(ggufPath)
  const file = parseGguf(reader)
  const { config } = decoderModel(file, kvElement)
  const parent = path.dirname(ggufPath)
  const folder = path.join(parent, `graph-${sha256.slice(0, 16)}-v${LAYOUT}`)
  const name = (phase: Phase, element: KvElement) => `${phase}${element === 'float32' ? '' : `-${element}`}.onnx`
  const graphs = {
    paths: {
      prefill: path.join(folder, name('prefill', kvElement)),
      decode: path.join(folder, name('decode', kvElement)),
    },
    config,
  }
  if (existsSync(folder)) return graphs
  mkdirSync(parent, { recursive: true })
  const part = mkdtempSync(path.join(parent, 'graph-part-'))
  try {
    const weights = new ExternalData('weights.bin')
    const parameters = ggufParameters(file, reader)
    for (const element of KV_ELEMENTS) {
      const { build } = decoderModel(file, element)
      for (const phase of PHASES) {
        const model = encodeModel(build(parameters, phase), weights)
        writeFileSync(path.join(part, name(phase, element)), model, { flush: true })
      }
    }
    parameters.requireAllUsed()
    writeWeights(path.join(part, weights.location), weights.tensors)
    renameSync(part, folder)
    removeEarlierLayouts(folder)
  } catch (error) {
    rmSync(part, { recursive: true, force: true })
    // Another process may have finished the same graphs first.
    if (!existsSync(folder)) throw error
  }
  return graphs
}

/** What earlier versions made of the same checkpoint. */
function removeEarlierLayouts(folder: string): void {
  const parent = path.dirname(folder)
  const name = path.basename(folder)
  const prefix = name.slice(0, name.lastIndexOf('v') + 1)
  for (const other of readdirSync(parent)) {
    if (other.startsWith(prefix) && other !== name) rmSync(path.join(parent, other), { recursive: true, force: true })
  }
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

/** From a checkpoint to vectors, against transformers' on the same weights; and what is refused of a checkpoint. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { bytesReader } from '#models/importers/range-reader.ts'
import { parseSafetensors } from '#models/importers/safetensors.ts'
import { writeSafetensors } from '#models/importers/testdata/safetensors-writer.ts'
import { Embedder } from '../pipelines/embeddings/embedder.ts'
import { Runtime } from '../runtime/runtime.ts'
import { readBert } from './bert-checkpoint.ts'

const REFERENCES = path.join(import.meta.dirname, '../../models/architectures/testdata')
const folder = mkdtempSync(path.join(tmpdir(), 'tandem-bert-'))
after(() => rmSync(folder, { recursive: true }))

interface Reference {
  readonly config: Readonly<Record<string, unknown>>
  readonly texts: number[][]
  readonly embeddings: number[][]
}
const reference = JSON.parse(readFileSync(path.join(REFERENCES, 'tiny-bert.json'), 'utf8')) as Reference
const modelPath = path.join(folder, 'model.safetensors')
copyFileSync(path.join(REFERENCES, 'tiny-bert.safetensors'), modelPath)
writeFileSync(path.join(folder, 'config.json'), JSON.stringify(reference.config))

describe('a tiny checkpoint', () => {
  const { config, model } = readBert(modelPath)
  const runtime = new Runtime({ threads: 2 })
  const embedder = new Embedder(runtime, model, config.hiddenSize)
  after(() => {
    embedder[Symbol.dispose]()
    runtime[Symbol.dispose]()
  })
  const rows = (all: Float32Array) =>
    Array.from({ length: all.length / config.hiddenSize }, (_, i) => [
      ...all.subarray(i * config.hiddenSize, (i + 1) * config.hiddenSize),
    ])

  test('gives the vectors that transformers gives, filled up or not', () => {
    const together = rows(embedder.embed(reference.texts, 24))
    for (const [i, tokens] of reference.texts.entries()) {
      const [alone = []] = rows(embedder.embed([tokens], tokens.length))
      for (const [j, expected] of (reference.embeddings[i] ?? []).entries()) {
        for (const vector of [alone, together[i] ?? []]) {
          assert.ok(Math.abs((vector[j] ?? Number.NaN) - expected) < 2e-6, `${i} ${j}: ${vector[j]}, not ${expected}`)
        }
      }
    }
  })

  test('gives a text the same bits alone and in company', () => {
    const [first = [], second = []] = reference.texts.slice(2)
    const [alone] = rows(embedder.embed([first], 16))
    for (const company of [[second], [second, second, first], reference.texts.slice(0, 4)]) {
      assert.deepEqual(rows(embedder.embed([first, ...company], 16))[0], alone)
    }
  })

  test('refuses a text that is longer than its batch', () => {
    assert.throws(() => embedder.embed([[1, 2, 3]], 2), RangeError)
  })
})

describe('refuses', () => {
  const bytes = readFileSync(modelPath)
  const headerLength = Number(bytes.readBigUInt64LE(0))
  type Header = Record<string, { shape: number[]; dtype: string; data_offsets: number[] }>
  const changed = (change: (header: Header) => void): Uint8Array => {
    const header = JSON.parse(bytes.subarray(8, 8 + headerLength).toString()) as Header
    change(header)
    return writeSafetensors({ header, data: bytes.subarray(8 + headerLength) })
  }
  const rename = (from: string, to: string) => (header: Header) => {
    const { [from]: entry } = header
    assert.ok(entry)
    delete header[from]
    header[to] = entry
  }
  const refuse = (what: string, message: RegExp, { config = {}, model }: { config?: object; model?: Uint8Array }) =>
    test(what, () => {
      const there = mkdtempSync(path.join(folder, 'wrong-'))
      const file = path.join(there, 'model.safetensors')
      writeFileSync(file, model ?? bytes)
      writeFileSync(path.join(there, 'config.json'), JSON.stringify({ ...reference.config, ...config }))
      assert.throws(() => readBert(file), { name: 'StoreError', code: 'invalid_model', message })
    })
  refuse('another architecture', /model_type/, { config: { model_type: 'roberta' } })
  refuse('another activation', /hidden_act/, { config: { hidden_act: 'relu' } })
  refuse('other positions', /position_embedding_type/, { config: { position_embedding_type: 'relative_key' } })
  refuse('heads that do not divide', /5 heads/, { config: { num_attention_heads: 5 } })
  refuse('layers of 0', /num_hidden_layers/, { config: { num_hidden_layers: 0 } })
  refuse('more layers than there are', /encoder\.layer\.2\./, { config: { num_hidden_layers: 3 } })
  refuse('fewer layers than there are', /encoder\.layer\.1\./, { config: { num_hidden_layers: 1 } })
  refuse('a tensor of another shape', /word_embeddings\.weight is \[\d+, 16\]/, { config: { vocab_size: 7 } })
  refuse('a tensor that is missing', /has no tensor encoder\.layer\.0\.output\.dense\.bias/, {
    model: changed(rename('encoder.layer.0.output.dense.bias', 'pooler.dense.bias')),
  })
  test('but not a layer that an embedder has no use for', () => {
    const { tensors } = parseSafetensors(bytesReader(bytes))
    assert.ok(!tensors.has('pooler.dense.bias'))
    const there = mkdtempSync(path.join(folder, 'pooler-'))
    const model = changed((header) => {
      header['pooler.dense.bias'] = { dtype: 'F32', shape: [0], data_offsets: [0, 0] }
    })
    writeFileSync(path.join(there, 'model.safetensors'), model)
    writeFileSync(path.join(there, 'config.json'), JSON.stringify(reference.config))
    assert.equal(readBert(path.join(there, 'model.safetensors')).config.layers, 2)
  })
})

/** What is refused of a checkpoint: the tiny one, with one thing wrong. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { bytesReader } from '#models/importers/range-reader.ts'
import { parseSafetensors } from '#models/importers/safetensors.ts'
import { writeSafetensors } from '#models/importers/testdata/safetensors-writer.ts'
import { readBert } from './bert-checkpoint.ts'

const REFERENCES = path.join(import.meta.dirname, '../../models/architectures/testdata')
const folder = mkdtempSync(path.join(tmpdir(), 'tandem-bert-'))
after(() => rmSync(folder, { recursive: true }))

const reference = JSON.parse(readFileSync(path.join(REFERENCES, 'tiny-bert.json'), 'utf8')) as {
  readonly config: Readonly<Record<string, unknown>>
}
const modelPath = path.join(folder, 'model.safetensors')
copyFileSync(path.join(REFERENCES, 'tiny-bert.safetensors'), modelPath)
writeFileSync(path.join(folder, 'config.json'), JSON.stringify(reference.config))

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

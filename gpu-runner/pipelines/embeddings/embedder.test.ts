/** From a checkpoint to vectors, against transformers' on the same weights (`models/architectures/testdata`). */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { Runtime } from '../../runtime/runtime.ts'
import { readBert } from '../../store/bert-checkpoint.ts'
import { Embedder } from './embedder.ts'

const REFERENCES = path.join(import.meta.dirname, '../../../models/architectures/testdata')
const folder = mkdtempSync(path.join(tmpdir(), 'tandem-embedder-'))
after(() => rmSync(folder, { recursive: true }))

const reference = JSON.parse(readFileSync(path.join(REFERENCES, 'tiny-bert.json'), 'utf8')) as {
  readonly config: Readonly<Record<string, unknown>>
  readonly texts: number[][]
  readonly embeddings: number[][]
}
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

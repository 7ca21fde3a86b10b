/** all-MiniLM-L6-v2 itself, against sentence-transformers' vectors. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { defaultModel } from '#models/catalogue/catalogue.ts'
import { ensureModel } from '../../store/store.ts'
import { EmbeddingClient } from './embedding-client.ts'
import reference from './testdata/minilm.json' with { type: 'json' }

const LEAST_COSINE = 0.9999
const WIDTH = 384
const NEVER = new AbortController().signal

describe('all-MiniLM-L6-v2', () => {
  let client: EmbeddingClient
  before(async () => {
    const { TANDEM_HOME = '.tandem', TANDEM_MODELS = path.join(TANDEM_HOME, 'models') } = process.env
    const entry = defaultModel('embedding')
    const modelPath = await ensureModel(entry, { root: TANDEM_MODELS })
    const tokenizer = readFileSync(path.join(path.dirname(modelPath), 'tokenizer.json'), 'utf8')
    client = await EmbeddingClient.start({ modelPath, tokenizer, contextLength: entry.context, threads: 2 })
  })
  after(() => client.unload())

  test('gives the vectors of sentence-transformers', async () => {
    const inputs = reference.map(({ text }) => text)
    const { vectors } = await client.embed({ tenant: 'ann', inputs, dimensions: null }, NEVER)
    for (const [i, { text, embedding }] of reference.entries()) {
      const bytes = Buffer.from(embedding, 'base64')
      const ours = vectors.subarray(i * WIDTH, (i + 1) * WIDTH)
      const cosine = ours.reduce((sum, x, j) => sum + x * bytes.readFloatLE(4 * j), 0)
      assert.ok(cosine > LEAST_COSINE, `${cosine} for ${text.slice(0, 60)}`)
      assert.ok(Math.abs(Math.hypot(...ours) - 1) < 1e-5)
    }
  })
})

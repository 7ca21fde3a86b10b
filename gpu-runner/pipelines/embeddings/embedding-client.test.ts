/** A tiny model in its thread. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import words from '#models/tokenizer/testdata/word-piece.json' with { type: 'json' }
import { ApiError } from '#protocol/error.ts'
import { EmbeddingClient } from './embedding-client.ts'
import type { EmbeddingRequest } from './embedding-thread.ts'

const REFERENCES = path.join(import.meta.dirname, '../../../models/architectures/testdata')
const reference = JSON.parse(readFileSync(path.join(REFERENCES, 'tiny-bert.json'), 'utf8')) as {
  config: { vocab_size: number; hidden_size: number }
  texts: number[][]
  embeddings: number[][]
}
const WIDTH = reference.config.hidden_size
const NEVER = new AbortController().signal

describe('an embedding model in its thread', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tandem-embedding-'))
  const modelPath = path.join(folder, 'model.safetensors')
  copyFileSync(path.join(REFERENCES, 'tiny-bert.safetensors'), modelPath)
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(reference.config))
  let client: EmbeddingClient
  before(async () => {
    const tokenizer = JSON.stringify(words.tokenizer)
    client = await EmbeddingClient.start({ modelPath, tokenizer, contextLength: 24, threads: 1 })
  })
  after(async () => {
    await client.unload()
    rmSync(folder, { recursive: true })
  })
  const ask = (change: Partial<EmbeddingRequest>): EmbeddingRequest => ({
    tenant: 'ann',
    inputs: ['the fox'],
    dimensions: null,
    ...change,
  })
  const embed = (change: Partial<EmbeddingRequest>, signal = NEVER) => client.embed(ask(change), signal)

  test('gives vectors in order, with the tokens of all', async () => {
    const { vectors, tokens, dimensions } = await embed({ inputs: reference.texts })
    assert.deepEqual([dimensions, tokens], [WIDTH, reference.texts.flat().length])
    for (const [i, expected] of reference.embeddings.flat().entries()) {
      assert.ok(Math.abs((vectors[i] ?? Number.NaN) - expected) < 2e-6)
    }
  })

  test('a text is its tokens', async () => {
    const [vector] = words.vectors.filter(({ text }) => text.startsWith('The quick'))
    assert.ok(vector)
    const both = await embed({ inputs: [vector.text, vector.ids] })
    assert.deepEqual([...both.vectors.subarray(0, WIDTH)], [...both.vectors.subarray(WIDTH)])
    assert.equal(both.tokens, 2 * vector.ids.length)
  })

  test('fewer dimensions are the first of all, of length 1 again', async () => {
    const whole = (await embed({})).vectors
    const { vectors, dimensions } = await embed({ dimensions: 5 })
    assert.equal(dimensions, 5)
    const length = Math.hypot(...whole.subarray(0, 5))
    for (const [i, x] of vectors.entries()) assert.ok(Math.abs(x - (whole[i] ?? 0) / length) < 1e-6)
  })

  test('says which input is not to be had, and why', async () => {
    const refused = async (change: Partial<EmbeddingRequest>) => {
      const error: unknown = await embed(change).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof ApiError)
      return [error.code, error.param, error.message] as const
    }
    const [code, param, message] = await refused({ inputs: ['fox', 'fox '.repeat(30)] })
    assert.deepEqual([code, param], ['context_length_exceeded', 'input[1]'])
    assert.match(message, /\d+ tokens; .* at most 24/)
    const unknown = await refused({ inputs: [[1, 2], [reference.config.vocab_size]] })
    assert.deepEqual(unknown.slice(0, 2), ['invalid_value', 'input[1]'])
    assert.match(unknown[2], new RegExp(`no token ${reference.config.vocab_size};`))
    assert.deepEqual((await refused({ dimensions: WIDTH + 1 })).slice(0, 2), ['invalid_value', 'dimensions'])
  })

  test('many at once each get their own', async () => {
    const alone = await Promise.all(reference.texts.map((text) => embed({ inputs: [text] })))
    for (const [i, { vectors }] of alone.entries()) {
      for (const [j, x] of vectors.entries()) assert.ok(Math.abs(x - (reference.embeddings[i]?.[j] ?? 0)) < 2e-6)
    }
    assert.equal(client.requests, 0)
  })

  test('one that is cancelled leaves, and the others go on', async () => {
    const stop = new AbortController()
    const many = Array.from({ length: 2048 }, () => 'the quick brown fox jumps over the lazy dog')
    const cancelled = embed({ inputs: many }, stop.signal)
    const other = embed({ tenant: 'ben' })
    stop.abort(new Error('gone'))
    await assert.rejects(cancelled, /gone/)
    assert.equal((await other).vectors.length, WIDTH)
    await assert.rejects(embed({}, AbortSignal.abort(new Error('before'))), /before/)
    assert.equal(client.requests, 0)
  })

  test('more than may wait is refused with a time', async () => {
    const stop = new AbortController()
    const waiting = Array.from({ length: 256 }, () => embed({}, stop.signal).catch(() => undefined))
    const error: unknown = await embed({}).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof ApiError)
    assert.equal(error.code, 'queue_full')
    assert.ok((error.retryAfter ?? 0) >= 1)
    stop.abort()
    await Promise.all(waiting)
    assert.equal((await embed({})).vectors.length, WIDTH)
  })
})

test('a model that cannot be read is not loaded', async () => {
  const data = {
    modelPath: '/nowhere/model.safetensors',
    tokenizer: JSON.stringify(words.tokenizer),
    contextLength: 24,
    threads: 1,
  }
  await assert.rejects(EmbeddingClient.start(data), /ENOENT/)
  await assert.rejects(EmbeddingClient.start({ ...data, tokenizer: '{}' }), /none of BERT/)
})

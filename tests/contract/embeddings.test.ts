/** Embeddings, asked for with OpenAI's own client. The model is fetched when it is first asked for. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { APIError } from 'openai'
import { MODEL } from '../support/model.ts'
import { key, openai, url } from '../support/shared.ts'

const EMBEDDER = 'text-embedding'
const WIDTH = 384
const client = openai()

const embed = (body: object) =>
  fetch(`${url}/v1/embeddings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: EMBEDDER, ...body }),
  })
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0)

describe('embeddings', () => {
  before(async () => {
    for (;;) {
      const response = await embed({ input: 'ready?' })
      if (response.ok) return
      // It says when to come back, until it is there.
      assert.equal(response.status, 503, await response.text())
      const seconds = Number(response.headers.get('retry-after'))
      assert.ok(seconds >= 1)
      await delay(seconds * 1000)
    }
  })

  test('texts that are alike have vectors that are', async () => {
    const input = ['A cat sits on the mat.', 'There is a kitten on the rug.', 'Stock markets fell on Tuesday.']
    const { data, model, object, usage } = await client.embeddings.create({ model: EMBEDDER, input })
    assert.deepEqual([object, model, data.map(({ index }) => index)], ['list', EMBEDDER, [0, 1, 2]])
    const [cat = [], kitten = [], stocks = []] = data.map(({ embedding }) => embedding)
    assert.equal(cat.length, WIDTH)
    assert.ok(Math.abs(dot(cat, cat) - 1) < 1e-5)
    assert.ok(dot(cat, kitten) > 0.5 && dot(cat, stocks) < 0.2, `${dot(cat, kitten)} ${dot(cat, stocks)}`)
    assert.ok(usage.prompt_tokens > 20 && usage.total_tokens === usage.prompt_tokens)
  })

  test('numbers and base64 say the same, whoever else is asking', async () => {
    const others = Array.from({ length: 8 }, (_, i) => embed({ input: `text ${i} of some others`.repeat(i + 1) }))
    const [asBase64, asNumbers] = await Promise.all(
      (['base64', 'float'] as const).map((encoding_format) =>
        client.embeddings.create({ model: EMBEDDER, input: 'The same text.', encoding_format }),
      ),
    )
    await Promise.all(others.map(async (other) => assert.ok((await other).ok)))
    const bytes = Buffer.from(String(asBase64?.data[0]?.embedding), 'base64')
    const numbers = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i))
    assert.deepEqual(numbers, asNumbers?.data[0]?.embedding)
  })

  test('fewer dimensions are of length 1 again', async () => {
    const { data } = await client.embeddings.create({ model: EMBEDDER, input: 'A text.', dimensions: 64 })
    const [{ embedding = [] } = {}] = data
    assert.equal(embedding.length, 64)
    assert.ok(Math.abs(dot(embedding, embedding) - 1) < 1e-5)
  })

  test('tokens are taken as they are', async () => {
    // [CLS] hello world [SEP]
    const { data, usage } = await client.embeddings.create({ model: EMBEDDER, input: [[101, 7592, 2088, 102]] })
    const text = await client.embeddings.create({ model: EMBEDDER, input: 'Hello world' })
    assert.deepEqual(data[0]?.embedding, text.data[0]?.embedding)
    assert.equal(usage.prompt_tokens, 4)
  })

  test('says which input is too long, which tokens and dimensions there are, and what the model is for', async () => {
    const refused = async (change: object) => {
      const asked = client.embeddings.create({ model: EMBEDDER, input: 'x', ...change })
      const error: unknown = await asked.then(
        () => undefined,
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof APIError)
      return [error.status, error.code, error.param, error.message] as const
    }
    const long = await refused({ input: ['short', 'word '.repeat(300)] })
    assert.deepEqual(long.slice(0, 3), [400, 'context_length_exceeded', 'input[1]'])
    assert.match(long[3], /302 tokens.*at most 256/)
    assert.deepEqual((await refused({ input: [[30_522]] })).slice(0, 3), [400, 'invalid_value', 'input[0]'])
    assert.deepEqual((await refused({ dimensions: 385 })).slice(0, 3), [400, 'invalid_value', 'dimensions'])
    assert.deepEqual((await refused({ model: MODEL })).slice(0, 3), [400, 'invalid_value', 'model'])
    assert.deepEqual((await refused({ model: 'gone' })).slice(0, 3), [404, 'model_not_found', 'model'])
    const chat = client.chat.completions.create({ model: EMBEDDER, messages: [{ role: 'user', content: 'x' }] })
    await assert.rejects(chat, { status: 400, code: 'invalid_value', param: 'model' })
  })

  test('the model is among the models', async () => {
    const model = await client.models.retrieve(EMBEDDER)
    assert.equal('task' in model && model.task, 'embedding')
    assert.equal('context_length' in model && model.context_length, 256)
  })
})

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { EmbeddingAnswer, EmbeddingsRequest } from '#protocol/embeddings.ts'
import { ApiError } from '#protocol/error.ts'
import { type Ask, type Edge, errorOf, startEdge } from '../testing/edge.ts'
import { embedsLengths } from '../testing/stub-runner.ts'

describe('POST /v1/embeddings', () => {
  let edge: Edge
  let asked: EmbeddingsRequest[] = []
  before(async () => {
    edge = await startEdge()
  })
  after(() => edge.stop())
  beforeEach(() => {
    asked = []
    edge.runner.embeddings = (request) => {
      asked.push(request)
      return embedsLengths(request)
    }
  })
  const embed = (body: object, ask: Ask = {}) => edge.ask('/v1/embeddings', { body: { model: 'm', ...body }, ...ask })
  const answered = async (body: object) => {
    const response = await embed(body)
    assert.equal(response.status, 200, await response.clone().text())
    return (await response.json()) as EmbeddingAnswer
  }
  const refused = async (body: object) => {
    const { status, code, param, message } = await errorOf(await embed(body))
    return { status, code, param, message }
  }

  test('takes a text, a list, tokens, and lists of tokens', async () => {
    for (const [input, inputs] of [
      ['abc', ['abc']],
      [
        ['a', 'bc'],
        ['a', 'bc'],
      ],
      [[5, 6], [[5, 6]]],
      [
        [[5], [6, 7]],
        [[5], [6, 7]],
      ],
    ] as const) {
      const { object, data, model, usage } = await answered({ input })
      assert.deepEqual([object, model], ['list', 'm'])
      assert.deepEqual(
        data,
        inputs.map(({ length }, index) => ({ object: 'embedding', index, embedding: [length, index] })),
      )
      const tokens = inputs.reduce((sum, { length }) => sum + length, 0)
      assert.deepEqual(usage, { prompt_tokens: tokens, total_tokens: tokens })
      assert.deepEqual(asked.at(-1), { model: 'm', tenant: 'local', inputs, dimensions: null })
    }
  })

  test('gives the same numbers in base64', async () => {
    const { data } = await answered({ input: ['a', 'bc'], encoding_format: 'base64', dimensions: 2, user: 'somebody' })
    const numbers = data.map(({ embedding }) => {
      const bytes = Buffer.from(String(embedding), 'base64')
      return [bytes.readFloatLE(0), bytes.readFloatLE(4), bytes.length]
    })
    assert.deepEqual(numbers, [
      [1, 0, 8],
      [2, 1, 8],
    ])
    assert.equal(asked.at(-1)?.dimensions, 2)
  })

  test('bears the headers of an answer', async () => {
    const { headers } = await embed({ input: 'a' })
    assert.equal(headers.get('x-served-by'), 'runner')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.match(headers.get('openai-processing-ms') ?? '', /^\d+$/)
    assert.ok(headers.has('x-request-id') && headers.has('x-ratelimit-limit-requests'))
  })

  test('refuses what is no input, by its name', async () => {
    for (const [body, param, message] of [
      [{}, 'input', /Missing required parameter/],
      [{ input: '' }, 'input', /length of at least 1/],
      [{ input: [] }, 'input', /length of at least 1/],
      [{ input: ['a', ''] }, 'input[1]', /length of at least 1/],
      [{ input: [[]] }, 'input[0]', /length of at least 1/],
      [{ input: [1.5] }, 'input[0]', /whole number/],
      [{ input: [-1] }, 'input[0]', /at least 0/],
      [{ input: ['a', 1] }, 'input[1]', /got 1/],
      [{ input: 'a\ud800' }, 'input', /lone surrogate/],
      [{ input: Array.from({ length: 2049 }, () => 'a') }, 'input', /at most 2048, got 2049/],
      [{ input: 'a', dimensions: 0 }, 'dimensions', /at least 1/],
      [{ input: 'a', dimensions: 1.5 }, 'dimensions', /whole number/],
      [{ input: 'a', dimensions: 1e9 }, 'dimensions', /at most 65536/],
      [{ input: 'a', encoding_format: 'int8' }, 'encoding_format', /"float" or "base64"/],
      [{ input: 'a', truncate: true }, 'truncate', /Unknown parameter/],
    ] as const) {
      const refusal = await refused(body)
      assert.deepEqual([refusal.status, refusal.param], [400, param], JSON.stringify(body).slice(0, 80))
      assert.match(refusal.message, message)
    }
    const large = await refused({ input: 'a'.repeat(4 << 20) })
    assert.equal(large.code, 'request_too_large')
    assert.deepEqual(asked, [])
  })

  test('passes on what the runner refuses, with the time to wait', async () => {
    edge.runner.embeddings = () => {
      throw new ApiError('model_loading', 'The model is loading.', { retryAfter: 3 })
    }
    const loading = await embed({ input: 'a' })
    assert.deepEqual([loading.status, loading.headers.get('retry-after')], [503, '3'])
    assert.equal((await errorOf(loading)).code, 'model_loading')
    edge.runner.embeddings = () => {
      throw new ApiError('context_length_exceeded', '300 tokens', { param: 'input[1]' })
    }
    assert.equal((await refused({ input: ['a', 'b'] })).param, 'input[1]')
  })

  test('does not pass on a runner’s vectors that are too few', async () => {
    edge.runner.embeddings = (request) => ({ ...embedsLengths(request), dimensions: 3 })
    assert.deepEqual((await refused({ input: 'a' })).code, 'runner_failed')
  })

  test('whoever leaves stops the runner', async () => {
    const reached = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    edge.runner.embeddings = () => {
      reached.resolve()
      return new Promise(() => {})
    }
    edge.runner.onEmbeddingClosed = () => closed.resolve()
    const gone = new AbortController()
    const asking = embed({ input: 'a' }, { signal: gone.signal })
    await reached.promise
    gone.abort()
    await assert.rejects(asking)
    await closed.promise
  })

  test('needs its scope', async () => {
    const { key } = await edge.newKey({ scopes: ['chat'] })
    assert.equal((await embed({ input: 'a' }, { key })).status, 403)
    const own = await edge.newKey({ scopes: ['embeddings'] })
    assert.equal((await embed({ input: 'a' }, { key: own.key })).status, 200)
  })

  test('is in the ledger, and counts against a key’s tokens', async () => {
    const limits = { tokens_per_minute: 20 }
    const { id, key } = await edge.newKey({ limits })
    // A token for each character, by the tokenizer that the runner has.
    const first = await embed({ input: ['abcdef', 'ijkl'] }, { key })
    assert.equal(first.status, 200, await first.clone().text())
    assert.equal(first.headers.get('x-ratelimit-remaining-tokens'), '10')
    const second = await errorOf(await embed({ input: 'abcdefghijkl' }, { key }))
    assert.deepEqual([second.status, second.code], [429, 'rate_limit_exceeded'])
    assert.match(second.message, /20 tokens a minute; this request may take 12/)
    const large = await errorOf(await embed({ input: 'abcdefghij'.repeat(3) }, { key }))
    assert.match(large.message, /too large/)
    assert.equal(asked.length, 1)
    const rows = async () =>
      (await edge.database.prepare('SELECT * FROM usage WHERE key_id = ?').bind(id).all<Record<string, unknown>>())
        .results
    let written = await rows()
    // It is written after the answer.
    while (written.length === 0) written = await rows()
    assert.equal(written.length, 1)
    const { route, model, prompt_tokens, completion_tokens, outcome } = written[0] ?? {}
    assert.deepEqual(
      [route, model, prompt_tokens, completion_tokens, outcome],
      ['/v1/embeddings', 'm', 10, 0, 'completed'],
    )
  })
})

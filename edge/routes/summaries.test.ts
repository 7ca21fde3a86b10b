import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { EmbeddingsRequest } from '#protocol/embeddings.ts'
import { ApiError } from '#protocol/error.ts'
import type { SummaryAnswer, SummaryEvent } from '#protocol/summaries.ts'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'
import { dataOf } from '../testing/sse.ts'
import { refuses, says } from '../testing/stub-runner.ts'

const SUBJECTS = ['storm', 'lunch', 'train']
/** What each text is about, as a vector of length 1; a token for each word. */
const bySubject = ({ model, inputs }: EmbeddingsRequest) => {
  const vectors = inputs.map((input) => {
    const about = SUBJECTS.map((subject) => (String(input).toLowerCase().includes(subject) ? 1 : 0.1))
    return about.map((x) => x / Math.hypot(...about))
  })
  const tokens = inputs.reduce((sum, input) => sum + String(input).split(' ').length, 0)
  return {
    model,
    dimensions: SUBJECTS.length,
    tokens,
    vectors: Buffer.from(Float32Array.from(vectors.flat()).buffer).toString('base64'),
  }
}
const INPUT =
  'The storm closed the harbour.\nThe storm\nsank two boats. Lunch was late. The storm will last until Monday. 😀 Every train was full.'

describe('POST /v1/summaries', () => {
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
      return bySubject(request)
    }
  })
  const ask = (body: object) => edge.ask('/v1/summaries', { body: { input: INPUT, ...body } })
  const answered = async (body: object) => {
    const response = await ask(body)
    assert.equal(response.status, 200, await response.clone().text())
    return { servedBy: response.headers.get('x-served-by'), ...((await response.json()) as SummaryAnswer) }
  }

  test('takes sentences that stand for the text, and says where they are', async () => {
    const answer = await answered({ length: { sentences: 2 } })
    assert.equal(answer.summary, 'The storm closed the harbour. Lunch was late.')
    assert.deepEqual(
      [answer.object, answer.model, answer.servedBy, answer.degraded],
      ['summary', 'text-embedding', 'runner', undefined],
    )
    assert.match(answer.id, /^sum_/)
    for (const { text, source } of answer.sentences) {
      assert.deepEqual(
        source.map(({ start, end }) => INPUT.slice(start, end).replace(/\s+/g, ' ')),
        [text],
      )
    }
    assert.deepEqual(answer.usage, { prompt_tokens: 24, completion_tokens: 0, total_tokens: 24 })
    assert.deepEqual(asked[0]?.inputs.length, 5)
  })

  test('as many sentences or words as are asked for', async () => {
    assert.equal((await answered({})).sentences.length, 3)
    assert.equal((await answered({ length: { sentences: 50 } })).sentences.length, 5)
    assert.equal((await answered({ length: { words: 5 } })).summary, 'The storm closed the harbour.')
  })

  test('a sentence that is too long for the model goes in pieces', async () => {
    const input = `${'storm 한국어 '.repeat(100)}. Lunch was late.`
    const { sentences } = await answered({ input, length: { sentences: 1 } })
    assert.equal(sentences.length, 1)
    for (const piece of asked[0]?.inputs ?? []) assert.ok([...String(piece).normalize('NFD')].length <= 250)
    assert.ok((asked[0]?.inputs.length ?? 0) > 4)
  })

  test('without a runner it is made of the words alone, and marked', async () => {
    for (const code of ['runner_unavailable', 'model_loading', 'queue_full'] as const) {
      edge.runner.embeddings = () => {
        throw new ApiError(code, 'not now', { retryAfter: 1 })
      }
      const answer = await answered({ length: { sentences: 2 } })
      assert.deepEqual([answer.degraded, answer.servedBy, answer.usage.total_tokens], [true, 'edge', 0])
      assert.equal(answer.sentences[0]?.text, 'The storm closed the harbour.')
    }
    edge.runner.embeddings = () => {
      throw new ApiError('model_not_found', 'none', { param: 'model' })
    }
    assert.equal((await errorOf(await ask({ model: 'gone' }))).code, 'model_not_found')
  })

  test('refuses what it cannot do, by its name', async () => {
    for (const [body, status, param] of [
      [{ style: 'haiku' }, 400, 'style'],
      [{ input: '' }, 400, 'input'],
      [{ input: ' \n ' }, 400, 'input'],
      [{ input: 'So it is. '.repeat(5000) }, 400, 'input'],
      [{ input: '\ud800' }, 400, 'input'],
      [{ length: { sentences: 0 } }, 400, 'length.sentences'],
      [{ length: { words: 1e9 } }, 400, 'length.words'],
      [{ language: 'not a language' }, 400, 'language'],
      [{ stream: 'yes' }, 400, 'stream'],
      [{ file_id: 'file_1' }, 400, 'file_id'],
    ] as const) {
      const error = await errorOf(await ask(body))
      assert.deepEqual([error.status, error.param], [status, param], JSON.stringify(body).slice(0, 60))
    }
    assert.deepEqual(asked, [])
  })

  test('streams each sentence, then the whole', async () => {
    const response = await ask({ length: { sentences: 2 }, stream: true })
    assert.equal(response.headers.get('x-served-by'), 'runner')
    const data = dataOf(await response.text())
    assert.equal(data.pop(), '[DONE]')
    const events = data.map((text) => JSON.parse(text) as SummaryEvent | SummaryAnswer)
    assert.deepEqual(
      events.map(({ object }) => object),
      ['summary.sentence', 'summary.sentence', 'summary'],
    )
    const whole = events.at(-1) as SummaryAnswer
    assert.deepEqual(
      events.flatMap((event) => (event.object === 'summary.sentence' ? event.sentence : [])),
      whole.sentences,
    )
  })

  describe('abstractive', () => {
    const write = { style: 'abstractive', length: { sentences: 2 } }

    test('keeps what the text supports, with the places that say so', async () => {
      edge.runner.script = says(
        'The storm closed the harbour and sank boats. ',
        'Aliens were blamed. ',
        'Lunch was late.',
      )
      const answer = await answered(write)
      assert.deepEqual(
        answer.sentences.map(({ text, source }) => [text, source.map(({ start, end }) => INPUT.slice(start, end))]),
        [
          [
            'The storm closed the harbour and sank boats.',
            ['The storm closed the harbour.', 'The storm\nsank two boats.'],
          ],
          ['Lunch was late.', ['Lunch was late.']],
        ],
      )
      assert.deepEqual([answer.unsupported, answer.model, answer.servedBy], [1, 'stub', 'runner'])
      assert.deepEqual(answer.usage, { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 })
      const { request } = edge.runner.calls.at(-1) ?? assert.fail('nothing was asked')
      assert.equal(request.temperature, 0)
      assert.ok(
        request.prompt.type === 'chat' && request.prompt.messages[1]?.content.includes('The storm sank two boats.'),
      )
    })

    test('a text that is longer than a context is read in pieces, then what was said of them', async () => {
      const before = edge.runner.calls.length
      edge.runner.script = says('The storm closed the harbour.')
      const response = await ask({ ...write, stream: true, input: `${INPUT} `.repeat(30) })
      const events = dataOf(await response.text())
        .slice(0, -1)
        .map((text) => JSON.parse(text) as SummaryEvent | SummaryAnswer)
      const progress = events.flatMap((event) => (event.object === 'summary.progress' ? event : []))
      const { done, total } = progress.at(-1) ?? assert.fail('no progress')
      const calls = edge.runner.calls.slice(before)
      assert.ok(calls.length > 2)
      assert.deepEqual([done, total], [calls.length, calls.length])
      const last = calls.at(-1)?.request.prompt
      assert.equal(
        last?.type === 'chat' && last.messages[1]?.content,
        calls
          .slice(1)
          .map(() => 'The storm closed the harbour.')
          .join(' '),
      )
      const whole = events.at(-1) as SummaryAnswer
      assert.equal(whole.summary, 'The storm closed the harbour.')
      assert.equal(whole.usage.completion_tokens, calls.length)
    })

    test('a runner that fails is told of, before anything was sent or after', async () => {
      edge.runner.script = refuses(new ApiError('queue_full', 'no room', { retryAfter: 1 }))
      assert.equal((await errorOf(await ask(write))).code, 'queue_full')
      const data = dataOf(await (await ask({ ...write, stream: true })).text())
      assert.match(data.at(-1) ?? '', /"code":"queue_full"/)
    })

    test('each generation is in the ledger', async () => {
      const { id, key } = await edge.newKey({ limits: { tokens_per_minute: 100_000 } })
      edge.runner.script = says('Lunch was late.')
      const response = await edge.ask('/v1/summaries', { body: { input: INPUT, ...write }, key })
      assert.equal(response.status, 200, await response.text())
      const rows = () =>
        edge.database.prepare('SELECT completion_tokens FROM usage WHERE key_id = ?').bind(id).all<object>()
      let { results } = await rows()
      while (results.length === 0) ({ results } = await rows())
      assert.deepEqual(results, [{ completion_tokens: 1 }])
    })
  })

  test('is in the ledger', async () => {
    const { id, key } = await edge.newKey({ limits: { tokens_per_minute: 10_000 } })
    const response = await edge.ask('/v1/summaries', { body: { input: INPUT }, key })
    assert.equal(response.status, 200)
    const rows = () =>
      edge.database.prepare('SELECT route, prompt_tokens FROM usage WHERE key_id = ?').bind(id).all<object>()
    let { results } = await rows()
    // It is written after the answer.
    while (results.length === 0) results = (await rows()).results
    assert.deepEqual(results, [{ route: '/v1/summaries', prompt_tokens: 24 }])
  })
})

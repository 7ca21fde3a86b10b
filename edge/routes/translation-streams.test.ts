import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { DeeplAnswer } from '#protocol/deepl.ts'
import { ApiError } from '#protocol/error.ts'
import type { TranslationEvent } from '#protocol/translation-events.ts'
import { type Ask, type Edge, startEdge } from '../testing/edge.ts'
import { dataOf } from '../testing/sse.ts'
import { TRANSLATION_MODELS, translatesWords } from '../testing/stub-runner.ts'

/** Sentences of three words, each another. */
const sentences = (count: number) => Array.from({ length: count }, (_, i) => `Hello world ${i}.`).join(' ')
const LONG = sentences(60)

describe('translations with stream', () => {
  let edge: Edge
  let asked: number[] = []
  before(async () => {
    edge = await startEdge()
    edge.runner.models = TRANSLATION_MODELS
  })
  after(() => edge.stop())
  beforeEach(() => {
    asked = []
    edge.runner.translation = (request) => {
      asked.push(request.texts.length)
      return translatesWords(request)
    }
  })
  const ask = (body: object, options: Ask = {}) =>
    edge.ask('/v2/translate', { body: { target_lang: 'FR', source_lang: 'EN', stream: true, ...body }, ...options })
  async function streamed(response: Response) {
    const data = dataOf(await response.text())
    const end = data.findIndex((one) => !one.includes('translation.piece'))
    const pieces = data.slice(0, end).map((one) => JSON.parse(one) as TranslationEvent)
    return { pieces, rest: data.slice(end) }
  }
  const joined = (pieces: readonly TranslationEvent[], index: number) =>
    pieces.flatMap((piece) => (piece.index === index ? piece.text : [])).join('')
  /** What a key has used, once there are so many rows. */
  async function used(keyId: string) {
    for (;;) {
      const { results } = await edge.database
        .prepare('SELECT prompt_tokens, completion_tokens FROM usage WHERE key_id = ?')
        .bind(keyId)
        .all<Record<string, unknown>>()
      if (results.length > 0) return results.map((row) => [row.prompt_tokens, row.completion_tokens])
    }
  }
  const characters = async (key: string) =>
    ((await (await edge.ask('/v2/usage', { key })).json()) as { character_count: number }).character_count

  test('has pieces in order, soon, then the answer that comes without it', async () => {
    const text = [`${LONG}\n`, 'Le monde', 'Open the file.']
    const response = await ask({ text, source_lang: undefined })
    assert.deepEqual(
      [response.status, response.headers.get('content-type'), response.headers.get('x-served-by')],
      [200, 'text/event-stream; charset=utf-8', 'runner'],
    )
    const { pieces, rest } = await streamed(response)
    assert.deepEqual(asked, [8, 16, 32, 5])
    const whole = (await (await ask({ text, source_lang: undefined, stream: false })).json()) as DeeplAnswer
    assert.deepEqual(rest, [JSON.stringify(whole), '[DONE]'])
    for (const [index, { text }] of whole.translations.entries()) assert.equal(joined(pieces, index), text)
    assert.deepEqual(
      pieces.map(({ index, done, total }) => [index, done, total]),
      [
        [0, 8, 61],
        [0, 24, 61],
        [0, 56, 61],
        [0, 60, 61],
        [2, 61, 61],
        [1, 61, 61],
      ],
    )
  })

  test('as LibreTranslate has it, of a text or several, with mark-up', async () => {
    const html = `<p>${sentences(9)}</p><p>Open the <b>file</b></p>`
    const libre = (body: object) =>
      edge.ask('/translate', { body: { q: html, source: 'en', target: 'fr', format: 'html', stream: true, ...body } })
    const { pieces, rest } = await streamed(await libre({}))
    const translated = `<p>${sentences(9).replaceAll('Hello world', 'Bonjour monde')}</p><p>Ouvrez le <b>fichier</b></p>`
    assert.equal(joined(pieces, 0), translated)
    assert.deepEqual(rest, [JSON.stringify({ translatedText: translated }), '[DONE]'])
    const several = await streamed(await libre({ q: [html, 'Hello'], alternatives: 1 }))
    const whole = await (await libre({ q: [html, 'Hello'], alternatives: 1, stream: false })).text()
    assert.deepEqual(several.rest, [whole, '[DONE]'])
  })

  test('what fails before anything is translated has a status', async () => {
    for (const [body, status] of [
      [{ text: ['<a>'], tag_handling: 'xml' }, 400],
      [{ text: ['Привет, мир! Как дела?'], source_lang: undefined }, 400],
      [{ text: [LONG], stream: 'perhaps' }, 400],
    ] as const) {
      const refused = await ask(body)
      assert.deepEqual([refused.status, Object.keys((await refused.json()) as object)], [status, ['message']])
    }
    edge.runner.translation = () => {
      throw new ApiError('queue_full', 'Full.', { retryAfter: 2 })
    }
    const full = await ask({ text: [LONG] })
    assert.deepEqual([full.status, full.headers.get('retry-after')], [429, '2'])
  })

  test('an error in the middle is the last event, in the API’s own shape; what came before it is counted', async () => {
    const failing = (request: Parameters<typeof translatesWords>[0]) => {
      if (asked.push(request.texts.length) > 1) throw new ApiError('context_length_exceeded', 'Too long.')
      return translatesWords(request)
    }
    edge.runner.translation = failing
    const { id, key } = await edge.newKey({ owner: 'failed' })
    const { pieces, rest } = await streamed(await ask({ text: [LONG] }, { key }))
    assert.deepEqual(rest, ['{"message":"Too long."}'])
    assert.equal(joined(pieces, 0), `${sentences(8)} `.replaceAll('Hello world', 'Bonjour monde'))
    assert.deepEqual(await used(id), [[24, 24]])
    assert.equal(await characters(key), `${sentences(8)} `.length)
    asked = []
    const libre = await edge.ask('/translate', { body: { q: LONG, source: 'en', target: 'fr', stream: true } })
    assert.equal(dataOf(await libre.text()).at(-1), '{"error":"Too long."}')
  })

  test('whoever leaves stops the runner, and what they got is counted', async () => {
    const second = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    edge.runner.translation = (request) => {
      if (asked.push(request.texts.length) === 1) return translatesWords(request)
      edge.runner.onTranslationClosed = () => closed.resolve()
      second.resolve()
      return new Promise(() => {})
    }
    const { id, key } = await edge.newKey({ owner: 'gone' })
    const gone = new AbortController()
    const response = await ask({ text: [LONG] }, { key, signal: gone.signal })
    const reader = response.body?.getReader()
    assert.match(new TextDecoder().decode((await reader?.read())?.value), /"translation.piece","index":0/)
    await second.promise
    gone.abort()
    await closed.promise
    assert.deepEqual(await used(id), [[24, 24]])
    assert.deepEqual(asked, [8, 16])
    edge.runner.translation = translatesWords
    assert.equal(await characters(key), `${sentences(8)} `.length)
  })

  test('counts the whole when it has come', async () => {
    const { id, key } = await edge.newKey({ owner: 'whole' })
    await (await ask({ text: [LONG] }, { key })).text()
    assert.deepEqual(await used(id), [[180, 180]])
    assert.equal(await characters(key), LONG.length)
  })
})

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { DeepLClient, Translator } from 'deepl-node'
import type { DeeplAnswer } from '#protocol/deepl.ts'
import { ApiError } from '#protocol/error.ts'
import type { TranslateRequest } from '#protocol/translation.ts'
import { type Ask, type Edge, startEdge } from '../testing/edge.ts'
import { TRANSLATION_MODELS, translatesWords } from '../testing/stub-runner.ts'

describe('POST /v2/translate', () => {
  let edge: Edge
  let asked: TranslateRequest[] = []
  before(async () => {
    edge = await startEdge()
    edge.runner.models = TRANSLATION_MODELS
  })
  after(() => edge.stop())
  beforeEach(() => {
    asked = []
    edge.runner.translation = (request) => {
      asked.push(request)
      return translatesWords(request)
    }
  })
  const translate = (body: object, ask: Ask = {}) =>
    edge.ask('/v2/translate', { body: { target_lang: 'FR', source_lang: 'EN', ...body }, ...ask })
  const answered = async (body: object) => {
    const response = await translate(body)
    assert.equal(response.status, 200, await response.clone().text())
    return ((await response.json()) as DeeplAnswer).translations
  }
  const texts = async (body: object) => (await answered(body)).map(({ text }) => text)
  const refused = async (body: object, ask?: Ask) => {
    const response = await translate(body, ask)
    return { status: response.status, ...((await response.json()) as { message: string }) }
  }

  test('translates texts in order, each in its own language', async () => {
    const answer = await answered({
      text: ['Open the file.', 'Le monde est nouveau.', 'Hello world'],
      source_lang: undefined,
    })
    assert.deepEqual(answer, [
      { detected_source_language: 'EN', text: 'Ouvrez le fichier.' },
      { detected_source_language: 'FR', text: 'Le monde est nouveau.' },
      { detected_source_language: 'EN', text: 'Bonjour monde' },
    ])
    assert.deepEqual(
      asked.map(({ model, beam, texts }) => [model, beam, texts]),
      [['en-fr', 4, ['Open the file.', 'Hello world']]],
    )
  })

  test('keeps placeholders, addresses, white space and line ends', async () => {
    const text =
      '  Hello {name}, open %1$s.\r\n\r\n\tThe file is at https://a.example/b?c=d. The window `is` {{new}} 🙂\n'
    assert.deepEqual(await texts({ text: [text] }), [
      '  Bonjour {name}, ouvrez %1$s.\r\n\r\n\tLe fichier est at https://a.example/b?c=d. Le fenêtre `is` {{new}} 🙂\n',
    ])
    assert.equal(asked[0]?.texts[0], 'Hello ⟦0⟧, open ⟦1⟧.')
  })

  test('translates around placeholders that do not come back', async () => {
    edge.runner.translation = async (request) => {
      asked.push(request)
      const { translations } = await translatesWords(request)
      return { translations: translations.map((one) => ({ ...one, text: one.text.replace('⟦1⟧', '⟦0⟧') })) }
    }
    assert.deepEqual(await texts({ text: ['Open {a} the {b} file.'] }), ['Ouvrez {a} le {b} fichier.'])
    assert.deepEqual(
      asked.map(({ texts }) => texts),
      [['Open ⟦0⟧ the ⟦1⟧ file.'], ['Open', 'the', 'file.']],
    )
  })

  test('asks for each sentence once, in batches', async () => {
    const text = Array.from({ length: 150 }, (_, i) => `The file is ${i}. Hello world.`).join(' ')
    const [answer = ''] = await texts({ text: [text] })
    assert.equal(answer, Array.from({ length: 150 }, (_, i) => `Le fichier est ${i}. Bonjour monde.`).join(' '))
    assert.deepEqual(
      asked.map(({ texts }) => texts.length),
      [64, 64, 23],
    )
  })

  test('takes mark-up, whose tags stay as they are', async () => {
    const xml = '<doc><t a="open">Open</t><p>The <b>new</b> file &amp; <x>the file</x>.</p><p>Hello <i/>world</p></doc>'
    assert.deepEqual(await texts({ text: [xml], tag_handling: 'xml', ignore_tags: ['x'] }), [
      '<doc><t a="open">Ouvrez</t><p>Le <b>nouveau</b> fichier &amp; <x>the file</x>.</p><p>Bonjour <i/>monde</p></doc>',
    ])
    const html = '<p>Open<br>the file<p translate=no>The file</p><code>file</code>'
    assert.deepEqual(await texts({ text: [html], tag_handling: 'html' }), [
      '<p>Ouvrez<br>le fichier<p translate=no>The file</p><code>file</code>',
    ])
  })

  test('says what is broken in XML', async () => {
    for (const text of ['<a>Open', '<a><b></a></b>', 'a < b', '<a b=c>x</a>', 'a & b']) {
      const { status, message } = await refused({ text: [text], tag_handling: 'xml' })
      assert.equal(status, 400)
      assert.match(message, /^Tag handling parsing failed, please check input/)
    }
  })

  test('takes what is no prose', async () => {
    const odd = ['', ' ', '12345', '🙂', 'مرحبا بالعالم', 'a'.repeat(300), '⟦0⟧', '%s']
    assert.deepEqual(await texts({ text: odd }), odd)
    assert.deepEqual(asked, [])
  })

  test('splits as it is told', async () => {
    const text = ['Open the\nfile. Hello world']
    for (const [split_sentences, sentences] of [
      ['1', ['Open the', 'file.', 'Hello world']],
      ['nonewlines', ['Open the file.', 'Hello world']],
      ['0', ['Open the file. Hello world']],
    ] as const) {
      asked = []
      await texts({ text, split_sentences })
      assert.deepEqual(asked[0]?.texts, sentences)
    }
  })

  test('keeps the end and the first letter if asked', async () => {
    edge.runner.translation = ({ texts }) => ({
      translations: texts.map(() => ({ text: 'Ouvrir.', alternatives: [], tokens: 1, read: 1 })),
    })
    assert.deepEqual(await texts({ text: ['open', 'open!'], preserve_formatting: true }), ['ouvrir', 'ouvrir!'])
    assert.deepEqual(await texts({ text: ['open'] }), ['Ouvrir.'])
  })

  test('takes a form, and says what is billed and by which model', async () => {
    const body =
      'text=Hello+world&text=%F0%9F%99%82&target_lang=fr&source_lang=en&show_billed_characters=1&model_type=latency_optimized'
    const response = await edge.ask('/v2/translate', {
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    assert.equal(response.status, 200, await response.clone().text())
    const { translations } = (await response.json()) as DeeplAnswer
    const common = { detected_source_language: 'EN', model_type_used: 'latency_optimized' }
    assert.deepEqual(translations, [
      { ...common, text: 'Bonjour monde', billed_characters: 11 },
      { ...common, text: '🙂', billed_characters: 1 },
    ])
    assert.equal(asked[0]?.beam, 1)
  })

  test('refuses in DeepL’s shape', async () => {
    for (const [body, status, message] of [
      [{}, 400, "Missing required parameter: 'text'."],
      [{ text: [] }, 400, /'text'/],
      [{ text: ['a'], target_lang: 'DE' }, 400, "Value for 'target_lang' not supported."],
      [{ text: ['a'], target_lang: 'FR-CA' }, 400, "Value for 'target_lang' not supported."],
      [{ text: ['a'], target_lang: 'english' }, 400, /'target_lang'/],
      [{ text: ['a'], source_lang: 'XX' }, 400, "Value for 'source_lang' not supported."],
      [{ text: ['a'], target_lang: 'EN-GB' }, 400, 'Source and target language are equal.'],
      [{ text: ['Привет, мир! Как дела?'], source_lang: undefined }, 400, /nothing here translates from 'ru'/],
      [{ text: Array.from({ length: 51 }, () => 'a') }, 400, /at most 50, got 51/],
      [{ text: ['a\ud800'] }, 400, /lone surrogate/],
      [{ text: ['a'], formality: 'more' }, 400, /'formality'/],
      [{ text: ['a'], style_id: 'x' }, 400, /Unsupported: 'style_id'/],
      [{ text: ['a'], unknown: 1 }, 400, "Unknown parameter: 'unknown'."],
      [{ text: ['a'.repeat(200_000)] }, 413, /at most 131072 bytes/],
    ] as const) {
      const refusal = await refused(body)
      assert.equal(refusal.status, status, JSON.stringify(body).slice(0, 80))
      assert.deepEqual(Object.keys(refusal), ['status', 'message'])
      if (typeof message === 'string') assert.equal(refusal.message, message)
      else assert.match(refusal.message, message)
    }
    assert.deepEqual(asked, [])
    assert.equal((await answered({ text: ['Hello'], formality: 'prefer_more', context: 'x' })).length, 1)
  })

  test('says 403 to a key that is not good, 503 without a runner, 456 over a month’s quota', async () => {
    assert.equal((await refused({ text: ['a'] }, { key: null })).status, 403)
    assert.equal((await refused({ text: ['a'] }, { key: 'x' })).status, 403)
    const chat = await edge.newKey({ scopes: ['chat'] })
    assert.equal((await refused({ text: ['a'] }, { key: chat.key })).status, 403)
    const poor = await edge.newKey({ limits: { tokens_per_month: 5 } })
    const over = await refused({ text: ['Hello world'] }, { key: poor.key })
    assert.equal(over.status, 456)
    const slow = await edge.newKey({ limits: { requests_per_minute: 1 } })
    assert.equal((await translate({ text: ['Hello'] }, { key: slow.key })).status, 200)
    assert.equal((await translate({ text: ['Hello'] }, { key: slow.key })).status, 429)
    edge.runner.translation = () => {
      throw new ApiError('queue_full', 'Full.', { retryAfter: 2 })
    }
    const full = await translate({ text: ['Hello'] })
    assert.deepEqual([full.status, full.headers.get('retry-after')], [429, '2'])
  })

  test('does not pass on fewer translations than sentences', async () => {
    edge.runner.translation = () => ({ translations: [] })
    assert.equal((await refused({ text: ['Hello'] })).status, 502)
  })

  test('whoever leaves stops the runner', async () => {
    const reached = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    edge.runner.translation = () => {
      reached.resolve()
      return new Promise(() => {})
    }
    edge.runner.onTranslationClosed = () => closed.resolve()
    const gone = new AbortController()
    const asking = translate({ text: ['Hello'] }, { signal: gone.signal })
    await reached.promise
    gone.abort()
    await assert.rejects(asking)
    await closed.promise
  })

  test('is in the ledger, and counts characters', async () => {
    const { id, key } = await edge.newKey({ owner: 'counted', limits: { tokens_per_minute: 100 } })
    const response = await translate({ text: ['Open the file.', '🙂'] }, { key })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('x-served-by'), 'runner')
    const usage = await edge.ask('/v2/usage', { key })
    assert.deepEqual(await usage.json(), { character_count: 15, character_limit: 1e12 })
    const rows = async () =>
      (await edge.database.prepare('SELECT * FROM usage WHERE key_id = ?').bind(id).all<Record<string, unknown>>())
        .results
    let written = await rows()
    // It is written after the answer.
    while (written.length === 0) written = await rows()
    const { route, model, prompt_tokens, completion_tokens, outcome } = written[0] ?? {}
    assert.deepEqual(
      [route, model, prompt_tokens, completion_tokens, outcome],
      ['/v2/translate', 'en-fr', 3, 3, 'completed'],
    )
  })

  test('lists languages', async () => {
    const list = async (path: string) => (await edge.ask(path)).json()
    assert.deepEqual(await list('/v2/languages'), [
      { language: 'EN', name: 'English' },
      { language: 'FR', name: 'French' },
    ])
    assert.deepEqual(await list('/v2/languages?type=target'), [
      { language: 'FR', name: 'French', supports_formality: false },
      { language: 'EN-GB', name: 'English (British)', supports_formality: false },
      { language: 'EN-US', name: 'English (American)', supports_formality: false },
    ])
    assert.equal((await edge.ask('/v2/languages?type=both')).status, 400)
    // As DeepL's Python client asks.
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '11' }
    const inBody = await edge.raw('/v2/languages', { method: 'GET', body: 'type=target', headers })
    assert.equal((JSON.parse(inBody.body) as unknown[]).length, 3)
    assert.deepEqual(await list('/v2/glossary-language-pairs'), {
      supported_languages: [
        { source_lang: 'en', target_lang: 'fr' },
        { source_lang: 'fr', target_lang: 'en' },
      ],
    })
  })

  test('DeepL’s own client works unchanged', async () => {
    const client = new DeepLClient(edge.key, { serverUrl: edge.url, maxRetries: 0 })
    const one = await client.translateText('Open the <b>file</b> {x}.', null, 'fr', { tagHandling: 'html' })
    assert.deepEqual(one, {
      text: 'Ouvrez le <b>fichier</b> {x}.',
      detectedSourceLang: 'en',
      billedCharacters: 25,
      modelTypeUsed: undefined,
    })
    const several = await client.translateText(['Le monde', 'Le fichier'], 'fr', 'en-US', {
      splitSentences: 'off',
      preserveFormatting: true,
      modelType: 'quality_optimized',
      ignoreTags: ['a', 'b'],
    })
    assert.deepEqual(
      several.map(({ text }) => text),
      ['The world', 'The file'],
    )
    assert.deepEqual(
      (await client.getTargetLanguages()).map(({ code }) => code),
      ['fr', 'en-GB', 'en-US'],
    )
    assert.equal((await client.getSourceLanguages()).length, 2)
    assert.equal((await client.getGlossaryLanguagePairs()).length, 2)
    assert.ok((await client.getUsage()).character)
    const stranger = new Translator('not-a-key', { serverUrl: edge.url, maxRetries: 0 })
    await assert.rejects(stranger.translateText('Hello', null, 'fr'), {
      name: 'Error',
      message: /Authorization failure/,
    })
    await assert.rejects(client.translateText('Hello', 'en', 'de'), /Value for 'target_lang' not supported/)
  })
})

describe('POST /v2/translate without a runner', () => {
  test('says so, and when to come again', async (t) => {
    const edge = await startEdge({ runnerUrl: '' })
    t.after(() => edge.stop())
    const response = await edge.ask('/v2/translate', { body: { text: ['Hello'], target_lang: 'FR' } })
    assert.equal(response.status, 503)
    assert.ok(response.headers.get('retry-after'))
  })

  test('nor does one that is starting know of no language', async (t) => {
    const edge = await startEdge()
    t.after(() => edge.stop())
    edge.runner.models = []
    for (const model of [undefined, 'en-fr']) {
      const response = await edge.ask('/v2/translate', { body: { text: ['Hello'], target_lang: 'FR', model } })
      assert.deepEqual([response.status, response.headers.has('retry-after')], [503, true])
    }
    assert.equal((await edge.ask('/v2/languages')).status, 503)
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { LibreAnswer } from '#protocol/libretranslate.ts'
import { type Ask, type Edge, startEdge } from '../testing/edge.ts'
import { TRANSLATION_MODELS, translatesWords } from '../testing/stub-runner.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

describe('LibreTranslate’s API', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
    edge.runner.models = TRANSLATION_MODELS
  })
  after(() => edge.stop())
  /** As its clients do: the key in the body. */
  const translate = (body: object, ask: Ask = {}) =>
    edge.ask('/translate', { body: { api_key: edge.key, source: 'en', target: 'fr', ...body }, key: null, ...ask })
  const answered = async (body: object): Promise<LibreAnswer> => {
    const response = await translate(body)
    assert.equal(response.status, 200, await response.clone().text())
    return (await response.json()) as LibreAnswer
  }

  test('translates one text or several', async () => {
    assert.deepEqual(await answered({ q: 'Open the file.' }), { translatedText: 'Ouvrez le fichier.' })
    assert.deepEqual(await answered({ q: ['Open the file.', 'Hello {name}'] }), {
      translatedText: ['Ouvrez le fichier.', 'Bonjour {name}'],
    })
  })

  test('finds out each text’s language, and says how sure it is', async () => {
    const { translatedText, detectedLanguage } = await answered({
      q: ['Open the file now.', 'Ouvrir le fichier'],
      source: 'auto',
    })
    assert.deepEqual(translatedText, ['Ouvrez le fichier now.', 'Ouvrir le fichier'])
    assert.ok(Array.isArray(detectedLanguage))
    assert.deepEqual(
      detectedLanguage.map(({ language }) => language),
      ['en', 'fr'],
    )
    for (const { confidence } of detectedLanguage) assert.ok(confidence > 50 && confidence <= 100)
    const one = await answered({ q: 'Open the file now.', source: 'auto' })
    assert.deepEqual(one.detectedLanguage, detectedLanguage[0])
  })

  test('takes HTML', async () => {
    const q = '<p class="open">Open the <b>new</b> file</p><script>file</script>'
    assert.deepEqual(await answered({ q, format: 'html' }), {
      translatedText: '<p class="open">Ouvrez le <b>nouveau</b> fichier</p><script>file</script>',
    })
  })

  test('gives other translations', async () => {
    assert.deepEqual(await answered({ q: 'Open. Close {x}.', alternatives: 2 }), {
      translatedText: 'Ouvrez. Fermez {x}.',
      alternatives: ['OUVREZ. FERMEZ {x}.', 'OUVREZ.! FERMEZ {x}.!'],
    })
    assert.deepEqual((await answered({ q: ['Hello'], alternatives: 1 })).alternatives, [['BONJOUR']])
  })

  test('takes a form, and a key in the header', async () => {
    const body = `q=Hello+world&source=en&target=fr&alternatives=1&api_key=${edge.key}`
    const formed = await translate({}, { body, headers: FORM })
    assert.equal(formed.status, 200, await formed.clone().text())
    assert.equal(((await formed.json()) as LibreAnswer).translatedText, 'Bonjour monde')
    const form = new FormData()
    for (const [name, value] of Object.entries({ q: 'Hello', source: 'en', target: 'fr', api_key: edge.key })) {
      form.append(name, value)
    }
    assert.equal((await edge.ask('/translate', { form, key: null })).status, 200)
    const { status } = await translate({ q: 'Hello', api_key: undefined }, { key: edge.key })
    assert.equal(status, 200)
  })

  test('refuses in its own shape', async () => {
    for (const [body, status, message] of [
      [{}, 400, /'q'/],
      [{ q: '' }, 400, /'q'/],
      [{ q: 'a', target: 'de' }, 400, /^de is not supported$/],
      [{ q: 'a', source: 'xx' }, 400, /^xx is not supported$/],
      [{ q: 'Привет, мир! Как дела?', source: 'auto' }, 400, /nothing here translates from 'ru'/],
      [{ q: 'a', format: 'docx' }, 400, /'format'/],
      [{ q: 'a', alternatives: 4 }, 400, /'alternatives'/],
      [{ q: 'a\udc00' }, 400, /lone surrogate/],
      [{ q: 'a', api_key: 'nonsense' }, 403, /Incorrect API key/],
      [{ q: 'a', api_key: undefined }, 403, /API key/],
      [{ q: 'a', api_key: 7 }, 403, /API key/],
      [{ q: 'a'.repeat(1 << 20) }, 413, /at most 1048576 bytes/],
    ] as const) {
      const response = await translate(body)
      const answer = (await response.json()) as { error: string }
      assert.equal(response.status, status, `${JSON.stringify(body).slice(0, 80)}: ${answer.error}`)
      assert.deepEqual(Object.keys(answer), ['error'])
      assert.match(answer.error, message)
    }
    assert.deepEqual(await answered({ q: 'Le fichier', source: 'fr', target: 'fr' }), { translatedText: 'Le fichier' })
  })

  test('a key in the body is for these addresses alone', async () => {
    const body = { api_key: edge.key, input: 'a', model: 'm' }
    assert.equal((await edge.ask('/v1/embeddings', { body, key: null })).status, 401)
    const text = { api_key: edge.key, text: ['a'], target_lang: 'FR' }
    assert.equal((await edge.ask('/v2/translate', { body: text, key: null })).status, 403)
  })

  test('whoever leaves stops the runner, with a key in the body too', async (t) => {
    const reached = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    t.after(() => {
      edge.runner.translation = translatesWords
    })
    edge.runner.translation = () => {
      reached.resolve()
      return new Promise(() => {})
    }
    edge.runner.onTranslationClosed = () => closed.resolve()
    const gone = new AbortController()
    const asking = translate({ q: 'Hello' }, { signal: gone.signal })
    await reached.promise
    gone.abort()
    await assert.rejects(asking)
    await closed.promise
  })

  test('tells languages', async () => {
    const detect = async (q: string) => {
      const response = await edge.ask('/detect', { body: { q, api_key: edge.key }, key: null })
      assert.equal(response.status, 200)
      return (await response.json()) as { language: string; confidence: number }[]
    }
    assert.equal((await detect('Ouvrir le fichier'))[0]?.language, 'fr')
    assert.equal((await detect('Das Fenster wird geschlossen'))[0]?.language, 'de')
    assert.deepEqual(await detect('12345'), [])
  })

  test('translates a file, which whoever has its address can fetch', async () => {
    const form = (name: string, contents: string, fields: Record<string, string>) => {
      const data = new FormData()
      for (const [field, value] of Object.entries({ api_key: edge.key, source: 'en', target: 'fr', ...fields })) {
        data.append(field, value)
      }
      data.append('file', new Blob([contents]), name)
      return data
    }
    const send = (name: string, contents: string, fields: Record<string, string> = {}) =>
      edge.ask('/translate_file', { form: form(name, contents, fields), key: null })
    const sent = await send('a.html', '<p>Open the <b>file</b></p>')
    assert.equal(sent.status, 200, await sent.clone().text())
    const { translatedFileUrl } = (await sent.json()) as { translatedFileUrl: string }
    assert.ok(translatedFileUrl.startsWith(`${edge.url}/download_file/doc_`))
    for (let i = 0; i < 2; i++) {
      const file = await fetch(translatedFileUrl)
      assert.equal(file.headers.get('content-type'), 'text/html; charset=utf-8')
      assert.equal(await file.text(), '<p>Ouvrez le <b>fichier</b></p>')
    }
    assert.equal((await fetch(`${translatedFileUrl.slice(0, -7)}x.html`)).status, 404)
    for (const [response, status, message] of [
      [await send('a.pdf', 'x'), 400, /kind 'pdf'/],
      [await send('a.txt', 'x', { target: 'de' }), 400, /de is not supported/],
      [await send('a.txt', 'Привет, мир! Как дела?', { source: 'auto' }), 400, /translates from 'ru'/],
      [await send('a.txt', 'x', { api_key: 'none' }), 403, /Incorrect API key/],
    ] as const) {
      const { error } = (await response.json()) as { error: string }
      assert.equal(response.status, status, error)
      assert.match(error, message)
    }
  })

  test('lists languages and settings to everybody', async () => {
    const list = async (path: string) => (await edge.ask(path, { key: null })).json()
    assert.deepEqual(await list('/languages'), [
      { code: 'en', name: 'English', targets: ['fr'] },
      { code: 'fr', name: 'French', targets: ['en'] },
    ])
    const settings = (await list('/frontend/settings')) as { keyRequired: boolean; charLimit: number }
    assert.deepEqual([settings.keyRequired, settings.charLimit], [true, 1 << 20])
  })
})

/** Translations by a model that ships with Tandem, asked for with DeepL's own client and as LibreTranslate's clients do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeepLClient, GlossaryEntries } from 'deepl-node'
import { createParser } from 'eventsource-parser'
import { key, url } from '../support/shared.ts'

const client = new DeepLClient(key, { serverUrl: url, maxRetries: 0, minTimeout: 60_000 })

test('English is put into French', async () => {
  assert.ok((await client.getTargetLanguages()).some(({ code }) => code === 'fr'))
  const texts = ['Open the file.', 'The following table lists the options.', 'Click the button to close the window.']
  const answers = await client.translateText(texts, null, 'fr')
  assert.deepEqual(
    answers.map(({ detectedSourceLang }) => detectedSourceLang),
    ['en', 'en', 'en'],
  )
  for (const [i, word] of [/fichier/, /options/, /fenêtre/].entries()) assert.match(answers[i]?.text ?? '', word)
})

test('placeholders and mark-up come through whole', async () => {
  const { text } = await client.translateText(
    'Click {name} to open %1$s, or see https://example.org/a?b=c.\n',
    'en',
    'fr',
  )
  for (const kept of ['{name}', '%1$s', 'https://example.org/a?b=c']) assert.equal(text.split(kept).length, 2, text)
  assert.ok(text.endsWith('\n'))
  const html = '<p>Click the <b>button</b> to open the <a href="x.html">file</a>.</p><pre>open file</pre>'
  const marked = await client.translateText(html, 'en', 'fr', { tagHandling: 'html' })
  assert.match(
    marked.text,
    /^<p>[^<]*(?:<b>[^<]+<\/b>[^<]*|<a href="x\.html">[^<]+<\/a>[^<]*){2}<\/p><pre>open file<\/pre>$/,
  )
})

test('a glossary’s term is there', async () => {
  const entries = new GlossaryEntries({ entries: { window: 'croisée' } })
  const glossary = await client.createGlossary('Mine', 'en', 'fr', entries)
  const { text } = await client.translateText('Close the window.', 'en', 'fr', { glossary })
  assert.match(text, /croisée/)
  await client.deleteGlossary(glossary)
})

test('a long text comes piece by piece, then whole', async () => {
  const text = Array.from({ length: 20 }, (_, i) => `Click button ${i} to open the file.`).join(' ')
  const response = await fetch(`${url}/v2/translate`, {
    method: 'POST',
    headers: { authorization: `DeepL-Auth-Key ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ text: [text], source_lang: 'EN', target_lang: 'FR', stream: true }),
  })
  const events: string[] = []
  createParser({ onEvent: ({ data }) => events.push(data) }).feed(await response.text())
  assert.equal(events.pop(), '[DONE]')
  const { translations } = JSON.parse(events.pop() ?? '') as { translations: { text: string }[] }
  const pieces = events.map((data) => JSON.parse(data) as { text: string; done: number; total: number })
  assert.equal(pieces.map((piece) => piece.text).join(''), translations[0]?.text)
  assert.deepEqual(
    pieces.map(({ done, total }) => [done, total]),
    [
      [8, 20],
      [20, 20],
    ],
  )
  assert.equal(translations[0]?.text.split(/fichier/i).length, 21)
})

test('LibreTranslate’s clients are answered, too', async () => {
  const body = {
    q: ['Open the file.', 'Save the document.'],
    source: 'auto',
    target: 'fr',
    alternatives: 2,
    api_key: key,
  }
  const response = await fetch(`${url}/translate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert.equal(response.status, 200, await response.clone().text())
  const answer = (await response.json()) as { translatedText: string[]; alternatives: string[][] }
  assert.match(answer.translatedText[0] ?? '', /fichier/)
  assert.match(answer.translatedText[1] ?? '', /document/)
  assert.ok(answer.alternatives.every((others) => others.length > 0))
})

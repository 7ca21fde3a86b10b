import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Http } from '../../transport/http.ts'
import { TranslationApi } from '../../transport/translation.ts'
import type { Part } from './parts.ts'
import { TranslatedParts } from './translated-parts.ts'

interface Asked {
  text: string[]
  source_lang?: string
  stream?: boolean
}

/** A server that translates into capitals, from English, and what it was asked. */
function shouting() {
  const asked: Asked[] = []
  const fetch = async (_: string, { body }: RequestInit) => {
    const request = JSON.parse(String(body)) as Asked
    asked.push(request)
    const translations = request.text.map((text) => ({ text: text.toUpperCase(), detected_source_language: 'EN' }))
    if (!request.stream) return Response.json({ translations })
    const pieces = request.text.flatMap((text, index) =>
      [text.slice(0, 1), text.slice(1)].map((piece) => ({
        object: 'translation.piece',
        index,
        text: piece.toUpperCase(),
      })),
    )
    return new Response([...pieces, { translations }].map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''))
  }
  return { asked, parts: new TranslatedParts(new TranslationApi(new Http({ fetch, renew: async () => false }))) }
}

const part = (text: string): Part => ({ text, before: '', after: '\n' })
const never = new AbortController().signal

async function all(parts: TranslatedParts, texts: readonly string[], source: string | null) {
  const steps: { count: number; source: string; text: string }[] = []
  const request = { parts: texts.map(part), source, target: 'fr', glossary: null, model: null }
  for await (const { parts: done, source } of parts.translate(request, never)) {
    steps.push({ count: done.length, source, text: done.map(({ translation }) => translation).join(' ') })
  }
  return steps
}

test('the language is found out of the first part, and goes for all', async () => {
  const { asked, parts } = shouting()
  assert.deepEqual(await all(parts, ['a', 'b', '', 'c'], null), [
    { count: 1, source: 'en', text: 'A' },
    { count: 3, source: 'en', text: 'A B ' },
    { count: 4, source: 'en', text: 'A B  C' },
  ])
  assert.deepEqual(
    asked.map(({ text, source_lang }) => [text, source_lang]),
    [
      [['a'], undefined],
      [['b', 'c'], 'EN'],
    ],
  )
})

test('what was translated is not asked for again', async () => {
  const { asked, parts } = shouting()
  await all(parts, ['a', 'b'], null)
  assert.deepEqual(await all(parts, ['a', 'b'], null), [{ count: 2, source: 'en', text: 'A B' }])
  assert.equal(asked.length, 2)
  await all(parts, ['a', 'x', 'b', 'y'], null)
  assert.deepEqual(asked[2]?.text, ['x', 'y'])
})

test('a long text comes part by part, in as many requests as it takes', async () => {
  const { asked, parts } = shouting()
  const texts = Array.from({ length: 60 }, (_, i) => `part ${i}`)
  const steps = await all(parts, texts, 'en')
  // The last of a request comes with its end.
  const counts = Array.from({ length: 60 }, (_, i) => i + 1)
  assert.deepEqual(
    steps.map(({ count }) => count),
    counts,
  )
  assert.equal(steps.at(-1)?.text, texts.join(' ').toUpperCase())
  assert.deepEqual(
    asked.map(({ text }) => text.length),
    [50, 10],
  )
  const long = Array.from({ length: 4 }, (_, i) => `${i}${'a'.repeat(9_999)}`)
  await all(parts, long, 'en')
  assert.deepEqual(
    asked.slice(2).map(({ text }) => text.length),
    [3, 1],
  )
})

test('what came before a stream broke off is not asked for again', async () => {
  const asked: Asked[] = []
  const piece = { object: 'translation.piece', index: 0, text: 'A' }
  const events = [piece, { ...piece, index: 1, text: 'B' }, { message: 'The runner has gone.' }]
  const fetch = async (_: string, { body }: RequestInit) => {
    asked.push(JSON.parse(String(body)))
    return new Response(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''))
  }
  const parts = new TranslatedParts(new TranslationApi(new Http({ fetch, renew: async () => false })))
  await assert.rejects(all(parts, ['a', 'b', 'c'], 'en'), /The runner has gone/)
  await assert.rejects(all(parts, ['a', 'b', 'c'], 'en'))
  assert.deepEqual(asked[1]?.text, ['b', 'c'])
})

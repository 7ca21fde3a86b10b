import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Http } from '../../transport/http.ts'
import { TranslationApi } from '../../transport/translation.ts'
import type { Part } from './parts.ts'
import { TranslatedParts } from './translated-parts.ts'

interface Asked {
  text: string[]
  source_lang?: string
}

/** A server that translates into capitals, from English, and what it was asked. */
function shouting() {
  const asked: Asked[] = []
  const fetch = async (_: string, { body }: RequestInit) => {
    const request = JSON.parse(String(body)) as Asked
    asked.push(request)
    const translations = request.text.map((text) => ({ text: text.toUpperCase(), detected_source_language: 'EN' }))
    return Response.json({ translations })
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

test('a long text comes in several requests, in order', async () => {
  const { parts } = shouting()
  const texts = Array.from({ length: 20 }, (_, i) => `part ${i}`)
  const steps = await all(parts, texts, 'en')
  assert.deepEqual(
    steps.map(({ count }) => count),
    [8, 16, 20],
  )
  assert.equal(steps.at(-1)?.text, texts.join(' ').toUpperCase())
})

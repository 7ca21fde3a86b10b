/** Summaries, from a real runner or, while its model is loading, from the edge. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contentWords } from '#edge/summaries/support.ts'
import type { SummaryAnswer, SummaryEvent } from '#protocol/summaries.ts'
import { MODEL } from '../support/model.ts'
import { key, url } from '../support/shared.ts'

const INPUT = `The harbour of Bergen was closed on Monday after a storm.
Two fishing boats sank, and a ferry was damaged at its pier. Nobody was hurt.
The mayor, Dr. Hansen, ate soup for lunch. Ships will wait until the storm has passed, the port authority said.`

test('a summary is made of the text’s own sentences, at the places that it says', async () => {
  const response = await fetch(`${url}/v1/summaries`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ input: INPUT, length: { sentences: 2 } }),
  })
  assert.equal(response.status, 200, await response.clone().text())
  const { summary, sentences, degraded, usage } = (await response.json()) as {
    summary: string
    sentences: { text: string; source: { start: number; end: number }[] }[]
    degraded?: true
    usage: { prompt_tokens: number }
  }
  assert.equal(sentences.length, 2)
  assert.equal(summary, sentences.map(({ text }) => text).join(' '))
  assert.match(summary, /harbour/)
  assert.doesNotMatch(summary, /soup/)
  for (const { text, source } of sentences) {
    assert.equal(source.map(({ start, end }) => INPUT.slice(start, end)).join(' '), text)
  }
  assert.equal(usage.prompt_tokens > 0, degraded === undefined)
})

test('a language model’s summary says what the text has words for, and where', async () => {
  const response = await fetch(`${url}/v1/summaries`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ input: INPUT, length: { sentences: 1 }, style: 'abstractive', stream: true }),
  })
  assert.equal(response.status, 200, await response.clone().text())
  const events = [...(await response.text()).matchAll(/^data: (\{.*)$/gm)].map(
    ([, data]) => JSON.parse(data ?? '') as SummaryEvent | SummaryAnswer,
  )
  const whole = events.at(-1) as SummaryAnswer
  assert.deepEqual(
    events.slice(0, -1).flatMap((event) => (event.object === 'summary.sentence' ? event.sentence : [])),
    whole.sentences,
  )
  const [sentence] = whole.sentences
  assert.ok(sentence)
  const source = sentence.source.map(({ start, end }) => INPUT.slice(start, end)).join(' ')
  assert.ok(contentWords(sentence.text).isSubsetOf(contentWords(source)), `${sentence.text} of ${source}`)
  assert.equal(whole.model, MODEL)
  assert.ok(whole.usage.completion_tokens > 0)
})

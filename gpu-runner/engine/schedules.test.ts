/** Thousands of random schedules: whoever is in the batch with it, whatever was cached, an answer is what it is alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Engine, type EngineEvent, type EngineRequest } from './engine.ts'
import { FakeDecoder } from './testdata/fake-decoder.ts'

const VOCABULARY = 40
const EOS = 0

/** A language without rhyme or reason: the next token depends on all before it, and ends an answer now and then. */
function next(tokens: readonly number[]): number {
  let hash = 2166136261
  for (const token of tokens) hash = Math.imul(hash ^ token, 16777619)
  return (hash >>> 8) % VOCABULARY
}

function alone({ prompt, maxTokens }: EngineRequest): number[] {
  const tokens = [...prompt]
  while (tokens.length < prompt.length + maxTokens) {
    const token = next(tokens)
    if (token === EOS) break
    tokens.push(token)
  }
  return tokens.slice(prompt.length)
}

const word = (token: number) => Uint8Array.of(48 + token)
const textOf = (tokens: readonly number[]) => String.fromCharCode(...tokens.map((token) => 48 + token))

const prompt = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 30 }),
  fc.integer({ min: 100, max: 700 }).map((length) => Array.from({ length }, (_, i) => 1 + (i % 3))),
)
const action = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'step' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      prompt,
      tenant: fc.constantFrom('a', 'b', 'c'),
      background: fc.boolean(),
      maxTokens: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(30) }) },
)

test('every request ends once, with the text it would have alone', () => {
  const schedule = fc.record({
    slots: fc.integer({ min: 1, max: 6 }),
    prefixCacheBytes: fc.constantFrom(0, 100, 2000),
    actions: fc.array(action, { minLength: 1, maxLength: 120 }),
  })
  fc.assert(
    fc.property(schedule, ({ slots, prefixCacheBytes, actions }) => {
      const decoder = new FakeDecoder({ vocabulary: VOCABULARY, slots, next })
      const events: EngineEvent[] = []
      const engine = new Engine({
        decoder,
        vocabulary: { eosIds: [EOS], vocabularySize: VOCABULARY, decodeBytes: word, nameOf: String },
        emit: (event) => events.push(event),
        now: () => 0,
        prefixCacheBytes,
      })
      const requests: EngineRequest[] = []
      for (const chosen of actions) {
        if (chosen.do === 'step') {
          engine.step()
        } else if (chosen.do === 'cancel') {
          engine.cancel(chosen.which)
        } else {
          const { do: _, ...asked } = chosen
          const request = { id: requests.length, seed: 1, stop: [], temperature: 0, topP: 1, topK: 0, ...asked }
          requests.push(request)
          engine.submit(request)
        }
      }
      for (let steps = 0; engine.step(); steps++) assert.ok(steps < 20_000, 'it comes to an end')

      for (const request of requests) {
        const own = events.filter(({ id }) => id === request.id)
        const ends = own.filter(({ type }) => type !== 'text' && type !== 'start')
        const said = own.map((event) => (event.type === 'text' ? event.text : '')).join('')
        const whole = textOf(alone(request))
        assert.equal(ends.length, 1)
        assert.equal(own.at(-1), ends[0], 'nothing comes after the end')
        if (ends[0]?.type === 'finish') assert.equal(said, whole)
        else assert.ok(whole.startsWith(said))
      }
    }),
    { seed: 1, numRuns: 2000 },
  )
})

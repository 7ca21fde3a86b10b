import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Engine, type EngineEvent, type EngineRequest } from './engine.ts'

const EOS = 0
const text = new TextEncoder()

/**
 * A language whose answer to any prompt is a fixed list of tokens; token t stands for the bytes `words[t]`. The decoder
 * checks that it is asked for each position once and in order.
 */
function speaker(words: (string | Uint8Array)[], answer: number[]) {
  let next = 0
  let promptLength = 0
  let now = 0
  const events: EngineEvent[] = []
  const engine = new Engine({
    decoder: {
      contextLength: 100_000,
      run(tokens, position) {
        if (position === 0) next = 0
        assert.equal(position, next, 'positions are computed in order')
        next += tokens.length
        now += tokens.length
        const logits = new Float32Array(words.length)
        logits[answer[next - promptLength] ?? EOS] = 1
        return logits
      },
    },
    vocabulary: {
      eosIds: [EOS],
      decodeBytes: (token) => {
        const word = words[token] ?? ''
        return typeof word === 'string' ? text.encode(word) : word
      },
    },
    emit: (event) => events.push(event),
    now: () => now,
  })
  const request = (id: number, more: Partial<EngineRequest> = {}): EngineRequest => {
    const prompt = more.prompt ?? [1, 1]
    promptLength = prompt.length
    return { id, tenant: 'a', prompt, maxTokens: 50, seed: 1, stop: [], temperature: 0, topP: 1, topK: 0, ...more }
  }
  const run = () => {
    while (engine.step());
    return events
  }
  const said = (id: number) =>
    events.map((event) => (event.type === 'text' && event.id === id ? event.text : '')).join('')
  const ends = () =>
    events.filter(({ type }) => type !== 'text' && type !== 'start').map(({ type, id }) => `${type} ${id}`)
  return { engine, request, run, said, ends, events }
}
const finish = (events: EngineEvent[]) => events.find((event) => event.type === 'finish')

test('an answer ends at an end token, which is counted but not shown', () => {
  const { engine, request, run, said, events } = speaker(['', 'Hello', ' world'], [1, 2, EOS, 1])
  engine.submit(request(1))
  run()
  assert.equal(said(1), 'Hello world')
  const end = finish(events)
  assert.equal(end?.finishReason, 'stop')
  assert.deepEqual(end?.usage, { promptTokens: 2, completionTokens: 3 })
})

test('an answer ends at maxTokens', () => {
  const { engine, request, run, said, events } = speaker(['', 'a', 'b'], [1, 2, 1, 2, 1])
  engine.submit(request(1, { maxTokens: 3 }))
  run()
  assert.equal(said(1), 'aba')
  assert.equal(finish(events)?.finishReason, 'length')
})

test('a stop string across tokens ends the answer and is not shown', () => {
  const { engine, request, run, said, events } = speaker(['', 'one', ' st', 'op', 'x'], [1, 2, 3, 4])
  engine.submit(request(1, { stop: [' stop'] }))
  run()
  assert.equal(said(1), 'one')
  assert.equal(finish(events)?.finishReason, 'stop')
})

test('text held back as a possible stop string is shown when the answer ends', () => {
  const { engine, request, run, said } = speaker(['', 'one', ' st'], [1, 2, EOS])
  engine.submit(request(1, { stop: [' stop'] }))
  run()
  assert.equal(said(1), 'one st')
})

test('a character over several tokens is shown whole', () => {
  const [a, b] = [new Uint8Array([0xf0, 0x9f]), new Uint8Array([0x98, 0x80])]
  const { engine, request, run, events } = speaker(['', a, b], [1, 2, EOS])
  engine.submit(request(1))
  run()
  assert.deepEqual(
    events.flatMap((event) => (event.type === 'text' ? event.text : [])),
    ['😀'],
  )
})

test('a long prompt is computed in pieces, and a request can leave between them', () => {
  const { engine, request, ends, events } = speaker(['', 'a'], [1, EOS])
  engine.submit(request(1, { prompt: Array(1000).fill(1) }))
  assert.equal(engine.step(), true)
  engine.cancel(1)
  assert.equal(engine.step(), false)
  assert.deepEqual(ends(), ['cancelled 1'])
  assert.deepEqual(
    events.map(({ type }) => type),
    ['start', 'cancelled'],
  )
})

test('a cancelled request gives no further token, and the next one runs', () => {
  const { engine, request, run, said, ends } = speaker(['', 'a', 'b'], [1, 2, EOS])
  engine.submit(request(1))
  engine.submit(request(2, { tenant: 'b' }))
  engine.submit(request(3))
  engine.step()
  engine.cancel(1)
  engine.cancel(3)
  run()
  engine.cancel(1)
  assert.equal(said(1), 'a')
  assert.equal(said(2), 'ab')
  assert.deepEqual(ends(), ['cancelled 1', 'cancelled 3', 'finish 2'])
})

test('tenants take turns', () => {
  const { engine, request, run, ends } = speaker(['', 'a'], [1, EOS])
  for (const [id, tenant] of ['a', 'a', 'a', 'b'].entries()) engine.submit(request(id, { tenant }))
  run()
  assert.deepEqual(ends(), ['finish 0', 'finish 3', 'finish 1', 'finish 2'])
})

test('a failing decoder ends the request in an error and the next one runs', () => {
  const events: EngineEvent[] = []
  let calls = 0
  const engine = new Engine({
    decoder: {
      contextLength: 10,
      run() {
        if (calls++ === 0) throw new Error('out of memory')
        return Float32Array.from([1, 0])
      },
    },
    vocabulary: { eosIds: [EOS], decodeBytes: () => new Uint8Array() },
    emit: (event) => events.push(event),
    now: () => 0,
  })
  const request = { tenant: 'a', prompt: [1], maxTokens: 5, seed: 1, stop: [], temperature: 0, topP: 1, topK: 0 }
  engine.submit({ id: 1, ...request })
  engine.submit({ id: 2, ...request })
  while (engine.step());
  assert.deepEqual(
    events.map(({ type, id }) => `${type} ${id}`),
    ['start 1', 'error 1', 'start 2', 'finish 2'],
  )
})

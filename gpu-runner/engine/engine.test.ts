import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Engine, type EngineEvent, type EngineRequest } from './engine.ts'
import { FakeDecoder } from './testdata/fake-decoder.ts'

const EOS = 0
const bytes = new TextEncoder()

/**
 * A language whose answer to any prompt is a fixed list of tokens; token t stands for `words[t]`. A prompt is any tokens
 * and then the one after the last word.
 */
function speaker(words: (string | Uint8Array)[], answer: number[], { slots = 1, prefixCacheBytes = 0 } = {}) {
  const go = words.length
  const decoder = new FakeDecoder({
    vocabulary: go + 1,
    slots,
    next: (tokens) => answer[tokens.length - tokens.lastIndexOf(go) - 1] ?? EOS,
  })
  const events: EngineEvent[] = []
  const decodeBytes = (token: number) => {
    const word = words[token] ?? ''
    return typeof word === 'string' ? bytes.encode(word) : word
  }
  const engine = new Engine({
    decoder,
    vocabulary: { eosIds: [EOS], vocabularySize: words.length, decodeBytes, nameOf: (token) => `<${token}>` },
    emit: (event) => events.push(event),
    now: () => decoder.prefilled.length + decoder.decoded.length,
    prefixCacheBytes,
  })
  const request = (id: number, more: Partial<EngineRequest> = {}): EngineRequest => ({
    ...{ id, tenant: 'a', background: false, maxTokens: 50, seed: 1, stop: [], temperature: 0, topP: 1, topK: 0 },
    ...more,
    prompt: [...(more.prompt ?? [1]), go],
  })
  const run = () => {
    while (engine.step());
    return events
  }
  const texts = (id: number) => events.filter((event) => event.type === 'text' && event.id === id)
  const said = (id: number) =>
    texts(id)
      .map((event) => (event.type === 'text' ? event.text : ''))
      .join('')
  const of = (id: number) => events.filter((event) => event.id === id).map(({ type }) => type)
  const ends = () =>
    events.filter(({ type }) => type !== 'text' && type !== 'start').map(({ type, id }) => `${type} ${id}`)
  const finish = (id = 1) =>
    events.find((event) => event.type === 'finish' && event.id === id) as
      | Extract<EngineEvent, { type: 'finish' }>
      | undefined
  return { engine, decoder, request, run, said, texts, of, ends, finish, events }
}

describe('an answer', () => {
  test('ends at an end token, which is counted but not shown', () => {
    const { engine, request, run, said, finish } = speaker(['', 'Hello', ' world'], [1, 2, EOS, 1])
    engine.submit(request(1))
    run()
    assert.equal(said(1), 'Hello world')
    assert.equal(finish()?.finishReason, 'stop')
    assert.deepEqual(finish()?.usage, { promptTokens: 2, completionTokens: 3, cachedTokens: 0 })
  })

  test('ends at maxTokens', () => {
    const { engine, request, run, said, finish } = speaker(['', 'a', 'b'], [1, 2, 1, 2, 1])
    engine.submit(request(1, { maxTokens: 3 }))
    run()
    assert.equal(said(1), 'aba')
    assert.equal(finish()?.finishReason, 'length')
  })

  test('goes on after an end token that is to be ignored, or comes too early', () => {
    const { engine, request, run, said, finish } = speaker(['', 'a', 'b'], [1, EOS, 2, EOS])
    engine.submit(request(1, { ignoreEos: true, maxTokens: 5 }))
    engine.submit(request(2, { minTokens: 3 }))
    run()
    assert.equal(finish(1)?.usage.completionTokens, 5)
    assert.equal(finish(2)?.usage.completionTokens, 4)
    assert.match(said(2), /^a.b$/)
  })

  test('ends before a stop string, which may span tokens', () => {
    const { engine, request, run, said, finish } = speaker(['', 'one', ' st', 'op', 'x'], [1, 2, 3, 4])
    engine.submit(request(1, { stop: [' stop'] }))
    run()
    assert.equal(said(1), 'one')
    assert.equal(finish()?.finishReason, 'stop')
  })

  test('shows at its end what was held back as a possible stop string', () => {
    const { engine, request, run, said } = speaker(['', 'one', ' st'], [1, 2, EOS])
    engine.submit(request(1, { stop: [' stop'] }))
    run()
    assert.equal(said(1), 'one st')
  })

  test('shows a character over several tokens whole', () => {
    const [a, b] = [new Uint8Array([0xf0, 0x9f]), new Uint8Array([0x98, 0x80])]
    const { engine, request, run, texts } = speaker(['', a, b], [1, 2, EOS])
    engine.submit(request(1))
    run()
    assert.deepEqual(texts(1), [{ type: 'text', id: 1, text: '😀', ids: [1, 2] }])
  })

  test('leaves out a character that its limit cuts off, but not its tokens', () => {
    const [a, b] = [new Uint8Array([0xf0, 0x9f]), new Uint8Array([0x98, 0x80])]
    const { engine, request, run, said, texts } = speaker(['', a, b, 'x'], [3, 1, 2, EOS])
    engine.submit(request(1, { maxTokens: 2, logprobs: 0 }))
    engine.submit(request(2, { prompt: [1] }))
    run()
    assert.equal(said(1), 'x')
    const tokens = texts(1).flatMap((event) => (event.type === 'text' ? (event.tokens ?? []) : []))
    assert.deepEqual(
      tokens.map(({ bytes }) => bytes),
      [[120], [...a]],
    )
    assert.equal(said(2), 'x😀')
  })

  test('names the control tokens among the likeliest', () => {
    const { engine, request, run, texts } = speaker(['', 'a'], [1, EOS])
    engine.submit(request(1, { logprobs: 2 }))
    run()
    const [first] = texts(1).flatMap((event) => (event.type === 'text' ? (event.tokens ?? []) : []))
    assert.deepEqual(
      first?.top.map(({ name, bytes }) => [name, bytes]),
      [
        [undefined, [97]],
        ['<0>', []],
      ],
    )
  })

  test('begins without the space that a vocabulary puts before every text, where that is not the answer’s own', () => {
    const { engine, request, run, said, texts } = speaker(['', ' ', ' a', ' b'], [1, 2, 3, EOS])
    engine.submit(request(1, { trimsSpace: true, logprobs: 0 }))
    engine.submit(request(2))
    run()
    assert.equal(said(1), ' a b')
    assert.equal(said(2), '  a b')
    const tokens = texts(1).flatMap((event) => (event.type === 'text' ? (event.tokens ?? []) : []))
    assert.equal(tokens.length, 3)
  })

  test('goes on from the tokens of an answer that broke off, whatever the model would say', () => {
    const { engine, request, run, said, finish } = speaker(['', 'a', 'b', 'c'], [1, 1, 1, EOS])
    engine.submit(request(1, { begun: [2, 3] }))
    run()
    assert.match(said(1), /^bc/)
    assert.ok((finish()?.usage.completionTokens ?? 0) > 2)
  })

  test('is penalised for its repetitions, not for its prompt', () => {
    const { engine, request, run, said } = speaker(['', 'a', 'b'], [1, 1, 1, EOS])
    engine.submit(request(1, { presencePenalty: 2 }))
    engine.submit(request(2, { frequencyPenalty: 6, maxTokens: 4 }))
    run()
    assert.equal(said(1), 'aaa')
    assert.match(said(2), /^aa/)
    assert.notEqual(said(2), 'aaaa')
  })

  test('has the logarithms of its tokens’ probabilities, which add up to one', () => {
    const { engine, request, run, texts } = speaker(['', 'a', 'b'], [1, 2, EOS])
    engine.submit(request(1, { logprobs: 3 }))
    run()
    const tokens = texts(1).flatMap((event) => (event.type === 'text' ? (event.tokens ?? []) : []))
    assert.equal(Buffer.concat(tokens.map((token) => Buffer.from(token.bytes))).toString(), 'ab')
    const others = 3 * Math.exp(0)
    for (const { logprob, top } of tokens) {
      assert.ok(Math.abs(logprob - (10 - Math.log(Math.exp(10) + others))) < 1e-6)
      assert.equal(top.length, 3)
      assert.equal(top[0]?.logprob, logprob)
    }
  })

  test('is held to its constraint, and ends as soon as nothing can follow', () => {
    const { engine, request, run, said, finish, of, events } = speaker(['', 'a', 'b', 'ab', 'c'], [4, 4, 4, 4])
    engine.submit(request(1, { constraint: { type: 'regex', pattern: '(ab|b)b' } }))
    engine.submit(request(2, { constraint: { type: 'regex', pattern: '(ab){2}[cd]?' }, maxTokens: 3 }))
    engine.submit(request(3, { constraint: { type: 'regex', pattern: '(' } }))
    engine.submit(request(4, { constraint: { type: 'regex', pattern: 'é' } }))
    run()
    assert.match(said(1), /^(ab|b)b$/)
    assert.equal(finish(1)?.finishReason, 'stop')
    assert.match(said(2), /^(ab){1,2}/)
    assert.equal(finish(2)?.usage.completionTokens, 3)
    assert.deepEqual(of(3), ['error'], 'what cannot be compiled')
    assert.deepEqual(of(4), ['start', 'error'], 'what no token can begin')
    engine.submit(request(5, { constraint: { type: 'regex', pattern: '((a?){0,100}){0,100}' } }))
    run()
    const [refused] = events.filter(({ id }) => id === 5)
    assert.ok(refused?.type === 'error' && refused.refused, 'what can be read in too many ways, before it has begun')
  })

  test('gives the tokens of a stop string to nobody', () => {
    const { engine, request, run, texts } = speaker(['', 'one', ' st', 'op', 'x'], [1, 2, 3, 4])
    engine.submit(request(1, { stop: [' stop'], logprobs: 0 }))
    run()
    const tokens = texts(1).flatMap((event) => (event.type === 'text' ? (event.tokens ?? []) : []))
    assert.deepEqual(
      tokens.map((token) => Buffer.from(token.bytes).toString()),
      ['one'],
    )
  })
})

describe('many requests', () => {
  test('share each step', () => {
    const { engine, decoder, request, run, said } = speaker(['', 'a', 'b'], [1, 2, 1, 2, 1, 2, EOS], { slots: 3 })
    for (const id of [1, 2, 3, 4]) engine.submit(request(id))
    run()
    for (const id of [1, 2, 3, 4]) assert.equal(said(id), 'ababab')
    assert.equal(Math.max(...decoder.decoded), 3)
    assert.ok(decoder.decoded.length < 3 * 6, 'fewer steps than one after the other')
  })

  test('a long prompt is computed in pieces between their tokens', () => {
    const { engine, decoder, request, run, events } = speaker(['', 'a'], Array(30).fill(1), { slots: 2 })
    engine.submit(request(1, { maxTokens: 30 }))
    engine.step()
    engine.submit(request(2, { prompt: Array(1000).fill(1), maxTokens: 2 }))
    run()
    assert.deepEqual(decoder.prefilled.slice(1), [...Array(15).fill(64), 40])
    const between = events.findIndex(({ type, id }) => type === 'text' && id === 2)
    assert.ok(events.slice(0, between).filter(({ type, id }) => type === 'text' && id === 1).length > 14)
  })

  test('a short prompt does not wait for a long one, nor a long one for ever', () => {
    const { engine, decoder, request, run, events } = speaker(['', 'a'], [1, EOS], { slots: 4 })
    engine.submit(request(1, { prompt: Array(6000).fill(1) }))
    engine.step()
    engine.submit(request(2, { prompt: Array(100).fill(1), tenant: 'b' }))
    for (let steps = 0; !events.some(({ type, id }) => type === 'finish' && id === 2); steps++) {
      assert.ok(steps < 6)
      engine.step()
    }
    const before = decoder.prefilled.length
    for (let id = 3; !events.some((event) => event.type === 'finish' && event.id === 1); id++) {
      assert.ok(id < 250, 'every other piece is of the long one')
      engine.submit(request(id, { prompt: Array(400).fill(1), tenant: `b${id}` }))
      engine.step()
      engine.step()
    }
    assert.ok(decoder.prefilled.length > before + 10)
    run()
  })

  test('prompts that begin alike and come at once are computed once', () => {
    const { engine, decoder, request, run, finish } = speaker(['', 'a'], [1, EOS], { slots: 8, prefixCacheBytes: 9999 })
    for (const id of [1, 2, 3, 4]) engine.submit(request(id, { prompt: Array(700).fill(1) }))
    run()
    assert.deepEqual(decoder.prefilled, [512, 188])
    assert.deepEqual(
      [1, 2, 3, 4].map((id) => finish(id)?.usage.cachedTokens),
      [0, 700, 700, 700],
    )
  })

  test('the background leaves a quarter of the slots to others, and its prompts wait for theirs', () => {
    const { engine, request, run, of, ends } = speaker(['', 'a'], [...Array(20).fill(1), EOS], { slots: 4 })
    for (const id of [1, 2, 3, 4, 5]) engine.submit(request(id, { background: true, tenant: 'b' }))
    for (let steps = 0; steps < 20; steps++) engine.step()
    assert.deepEqual(of(4), [], 'it waits for a slot, though one is free')
    engine.submit(request(6, { maxTokens: 3 }))
    run()
    assert.equal(ends()[0], 'finish 6')
    assert.equal(ends().length, 6)

    const other = speaker(['', 'a'], [1, EOS], { slots: 4 })
    other.engine.submit(other.request(1, { background: true, prompt: Array(5000).fill(1) }))
    other.engine.step()
    other.engine.submit(other.request(2, { prompt: Array(4000).fill(1) }))
    other.run()
    assert.deepEqual(other.ends(), ['finish 2', 'finish 1'])
  })

  test('a request leaves between the pieces of its prompt', () => {
    const { engine, request, of } = speaker(['', 'a'], [1, EOS])
    engine.submit(request(1, { prompt: Array(1000).fill(1) }))
    assert.equal(engine.step(), true)
    engine.cancel(1)
    assert.equal(engine.step(), false)
    assert.deepEqual(of(1), ['start', 'cancelled'])
  })

  test('one that is cancelled gives no further token, and the next one runs', () => {
    const { engine, request, run, said, ends } = speaker(['', 'a', 'b'], [1, 2, EOS])
    engine.submit(request(1))
    engine.submit(request(2, { tenant: 'b' }))
    engine.submit(request(3))
    engine.step()
    engine.step()
    engine.cancel(1)
    engine.cancel(3)
    run()
    engine.cancel(1)
    assert.equal(said(1), 'a')
    assert.equal(said(2), 'ab')
    assert.deepEqual(ends(), ['cancelled 1', 'cancelled 3', 'finish 2'])
  })

  test('tenants take turns; what runs in the background comes last', () => {
    const { engine, request, run, ends } = speaker(['', 'a'], [1, EOS])
    engine.submit(request(9, { background: true, tenant: 'b' }))
    for (const [id, tenant] of ['a', 'a', 'a', 'b'].entries()) engine.submit(request(id, { tenant }))
    run()
    assert.deepEqual(ends(), ['finish 0', 'finish 3', 'finish 1', 'finish 2', 'finish 9'])
  })

  test('a step that fails ends those that were in it, and the next one runs', () => {
    const { engine, decoder, request, run, ends, events } = speaker(['', 'a'], [1, EOS], { slots: 2 })
    engine.submit(request(1))
    engine.submit(request(2))
    engine.submit(request(3))
    engine.step()
    decoder.decode = () => {
      Reflect.deleteProperty(decoder, 'decode')
      throw new Error('out of memory')
    }
    run()
    assert.ok(ends().includes('finish 3'))
    assert.deepEqual(
      events.find(({ type }) => type === 'error'),
      { type: 'error', id: 1, message: 'out of memory' },
    )
  })
})

describe('prefixes', () => {
  const LONG = Array.from({ length: 40 }, (_, i) => 1 + (i % 2))

  test('are not computed again for the same tenant, and are counted', () => {
    const { engine, decoder, request, run, finish, said } = speaker(['', 'a', 'b'], [1, 2, EOS], {
      prefixCacheBytes: 1000,
    })
    engine.submit(request(1, { prompt: LONG }))
    run()
    engine.submit(request(2, { prompt: [...LONG, 1, 1] }))
    engine.submit(request(3, { prompt: LONG, tenant: 'b' }))
    engine.submit(request(4, { prompt: LONG }))
    run()
    assert.deepEqual(
      [1, 2, 3, 4].map((id) => finish(id)?.usage.cachedTokens),
      [0, 40, 0, 40],
    )
    assert.deepEqual(decoder.prefilled, [40, 2, 40])
    for (const id of [1, 2, 3, 4]) assert.equal(said(id), 'ab')
  })

  test('a follow-up takes up the prompt before it, and computes the answer as if nothing had been kept', () => {
    const { engine, request, run, finish } = speaker(['', 'a', 'b'], [1, 2, EOS], { prefixCacheBytes: 1000 })
    engine.submit(request(1, { prompt: LONG }))
    run()
    const turn = [...LONG, 3, 1, 2]
    engine.submit(request(2, { prompt: [...turn, 1] }))
    run()
    assert.equal(finish(2)?.usage.cachedTokens, LONG.length)
  })

  test('take no more room than they have', () => {
    const { engine, request, run, finish } = speaker(['', 'a', 'b'], [1, 2, EOS], { prefixCacheBytes: 60 })
    for (const [id, prompt] of [LONG, LONG.map((token) => 3 - token), LONG].entries()) {
      engine.submit(request(id, { prompt }))
      run()
    }
    assert.equal(finish(2)?.usage.cachedTokens, 0)
  })
})

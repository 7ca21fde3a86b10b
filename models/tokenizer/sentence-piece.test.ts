/** Against what SentencePiece makes of the same texts with the same vocabularies (see `testdata`). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { GgufValue } from '../importers/gguf.ts'
import references from './testdata/sentence-piece.json' with { type: 'json' }
import { createTokenizer } from './tokenizer.ts'

type Name = keyof typeof references
const create = (name: Name, changes: Readonly<Record<string, GgufValue>> = {}) =>
  createTokenizer(new Map(Object.entries<GgufValue>({ ...references[name].metadata, ...changes })))

for (const name of ['llama', 'gemma'] as const) {
  describe(`a vocabulary as ${name}'s`, () => {
    const tokenizer = create(name)
    const bytesOf = (ids: readonly number[]) => Buffer.concat(ids.map((id) => tokenizer.decodeBytes(id))).toString()

    test('text has the tokens that SentencePiece gives it', () => {
      for (const { text, tokens } of references[name].vectors) {
        assert.deepEqual(tokenizer.encode(text), tokens, JSON.stringify(text))
      }
    })

    test('tokens give back the text; their bytes have the space before it as well', () => {
      const prefix = name === 'llama' ? ' ' : ''
      for (const { text } of references[name].vectors) {
        const written = text.replaceAll('\u2581', ' ')
        const tokens = tokenizer.encode(text)
        assert.equal(tokenizer.decode(tokens), written)
        assert.equal(bytesOf(tokens), text === '' ? '' : prefix + written)
      }
      assert.equal(tokenizer.addsSpace, name === 'llama')
    })

    test('time grows with the length, whatever the text is', () => {
      for (const unit of ['a', ' ', '\n', 'é', '漢', 'ab', '\u2581']) {
        const text = unit.repeat(100_000 / unit.length)
        const started = performance.now()
        tokenizer.encode(text)
        const ms = performance.now() - started
        assert.ok(ms < 5000, `${JSON.stringify(unit)} took ${ms} ms`)
      }
    })
  })
}

describe('tokens of no text', () => {
  const tokenizer = create('llama')
  const [BOS, EOS] = [1, 2]

  test('are text unless they are asked for', () => {
    const written = tokenizer.encode('<s>a</s><unk><0x41>')
    assert.deepEqual(
      written.filter((id) => id <= EOS),
      [],
    )
    const [start, space, ...rest] = tokenizer.encode('<s>a</s>', { special: true })
    assert.deepEqual([start, rest.at(-1)], [BOS, EOS])
    assert.ok(space)
  })

  test('are what llama.cpp takes where the metadata names none', () => {
    assert.deepEqual([tokenizer.bosId, tokenizer.addBos, tokenizer.eosIds], [BOS, true, [EOS]])
    const other = create('llama', { 'tokenizer.ggml.add_bos_token': false, 'tokenizer.ggml.eos_token_id': 1 })
    assert.deepEqual([other.addBos, other.eosIds], [false, [1]])
  })

  test('end an answer by the name that Gemma gives one', () => {
    const { 'tokenizer.ggml.tokens': tokens, 'tokenizer.ggml.token_type': types } = references.gemma.metadata
    const id = tokens.indexOf('<|turn|>')
    const gemma = create('gemma', {
      'tokenizer.ggml.tokens': tokens.with(id, '<end_of_turn>'),
      'tokenizer.ggml.token_type': types.with(id, 3),
    })
    assert.deepEqual(gemma.eosIds, [EOS, id])
  })
})

test('a byte without a token is unknown', () => {
  const { 'tokenizer.ggml.tokens': tokens, 'tokenizer.ggml.token_type': types } = references.llama.metadata
  const first = tokens.indexOf('<0xE9>')
  const tokenizer = create('llama', { 'tokenizer.ggml.token_type': types.with(first, 3) })
  const byte = (name: string) => tokens.indexOf(`<0x${name}>`)
  assert.deepEqual(tokenizer.encode('\u9f98').slice(-3), [0, byte('BE'), byte('98')])
})

test('half a surrogate pair is a replacement character', () => {
  const tokenizer = create('gemma')
  assert.deepEqual(tokenizer.encode('\ud800'), tokenizer.encode('\ufffd'))
})

test('what does not fit together is refused', () => {
  const { 'tokenizer.ggml.tokens': tokens, 'tokenizer.ggml.scores': scores } = references.llama.metadata
  const refused = (changes: Readonly<Record<string, GgufValue>>) =>
    assert.throws(() => create('llama', changes), { name: 'TokenizerError', code: 'invalid_vocabulary' })
  refused({ 'tokenizer.ggml.scores': [1, 2] })
  refused({ 'tokenizer.ggml.scores': scores.with(300, Number.NaN) })
  refused({ 'tokenizer.ggml.tokens': tokens.with(tokens.indexOf('<0x41>'), '<0x4>') })
})

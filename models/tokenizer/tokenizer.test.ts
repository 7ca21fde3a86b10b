import assert from 'node:assert/strict'
import { test } from 'node:test'
import { smallVocabulary } from './testdata/small-vocabulary.ts'
import { createTokenizer } from './tokenizer.ts'

const tokenizer = createTokenizer(smallVocabulary())
const [START, IM_END, IM_END_2, THINK] = [269, 270, 271, 272]
const decode = (ids: readonly number[]) => Buffer.concat(ids.map((id) => tokenizer.decodeBytes(id))).toString()

test('text becomes tokens and comes back', () => {
  const ids = tokenizer.encode('hello world')
  assert.deepEqual(ids, [259, 264])
  for (const text of ['hello world', 'naïve 漢字 😀\r\n\t  x', '', ' '])
    assert.equal(decode(tokenizer.encode(text)), text)
})

test('a control token is text unless it is asked for', () => {
  assert.ok(!tokenizer.encode('<|start|>hello<|im_end|>').includes(START))
  assert.deepEqual(tokenizer.encode('<|start|>hello<|im_end|>', { special: true }), [START, 259, IM_END])
  assert.deepEqual(tokenizer.partition('a<|start|>b'), ['a', START, 'b'])
})

test('of control tokens that begin alike the longest is taken', () => {
  assert.deepEqual(tokenizer.encode('<|im_end|>><|im_end|>', { special: true }), [IM_END_2, IM_END])
})

test('a user-defined token is found in text and stands for itself', () => {
  assert.deepEqual(tokenizer.encode('<think>hello'), [THINK, 259])
  assert.equal(decode([THINK]), '<think>')
})

test('control tokens have no bytes, and numbers beyond the vocabulary no token', () => {
  assert.equal(tokenizer.decodeBytes(START).length, 0)
  for (const id of [-1, 273, 1.5, Number.NaN]) assert.throws(() => tokenizer.decodeBytes(id), RangeError)
})

test('tells what the metadata says', () => {
  assert.equal(tokenizer.vocabularySize, 273)
  assert.equal(tokenizer.maxTokenBytes, '<think>'.length)
  assert.deepEqual([tokenizer.bosId, tokenizer.addBos], [START, false])
  assert.deepEqual(tokenizer.eosIds, [IM_END])
  const other = createTokenizer(
    smallVocabulary({ 'tokenizer.ggml.add_bos_token': true, 'tokenizer.ggml.eot_token_id': 271 }),
  )
  assert.equal(other.addBos, true)
  assert.deepEqual(other.eosIds, [IM_END, IM_END_2])
  assert.equal(createTokenizer(smallVocabulary({ 'tokenizer.ggml.pre': 'llama-bpe' })).addBos, true)
})

test('what is not known or does not fit together is refused', () => {
  const refused = (changes: Parameters<typeof smallVocabulary>[0], code: string) =>
    assert.throws(() => createTokenizer(smallVocabulary(changes)), { name: 'TokenizerError', code })
  refused({ 'tokenizer.ggml.model': 'bert' }, 'unknown_tokenizer')
  refused({ 'tokenizer.ggml.pre': 'constructor' }, 'unknown_tokenizer')
  refused({ 'tokenizer.ggml.token_type': [1, 2] }, 'invalid_vocabulary')
  refused({ 'tokenizer.ggml.merges': ['h nothing'] }, 'invalid_vocabulary')
  refused({ 'tokenizer.ggml.eos_token_id': 5000 }, 'invalid_vocabulary')
  const lacking = new Map([...smallVocabulary()].filter(([key]) => key !== 'tokenizer.ggml.tokens'))
  assert.throws(() => createTokenizer(lacking), { name: 'GgufError', code: 'missing_key' })
})

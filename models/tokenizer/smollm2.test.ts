/** SmolLM2's own vocabulary and template, against what llama.cpp and Jinja2 made of the same (see `testdata`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createChatTemplate, encodeChat } from './chat-template.ts'
import chats from './testdata/chats.json' with { type: 'json' }
import { smollm2Metadata } from './testdata/smollm2.ts'
import vectors from './testdata/vectors.json' with { type: 'json' }
import { createTokenizer, type Tokenizer } from './tokenizer.ts'
import type { ChatTurn } from './tool-turns.ts'

const metadata = smollm2Metadata()
const tokenizer = createTokenizer(metadata)
const template = createChatTemplate(metadata)
const decode = (ids: readonly number[]) => Buffer.concat(ids.map((id) => tokenizer.decodeBytes(id))).toString()

test('plain text has the tokens that llama.cpp gives it', () => {
  for (const { text, tokens } of vectors.plain) assert.deepEqual(tokenizer.encode(text), tokens, JSON.stringify(text))
})

test('text with control tokens has the tokens that llama.cpp gives it', () => {
  for (const { text, tokens } of vectors.special) {
    assert.deepEqual(tokenizer.encode(text, { special: true }), tokens, JSON.stringify(text))
  }
})

for (const pre of ['default', 'gpt-2', 'llama-bpe', 'qwen2'] as const) {
  test(`under the pre-tokenizer ${pre}, text has the tokens that llama.cpp gives it`, () => {
    const other: Tokenizer = createTokenizer(new Map([...metadata, ['tokenizer.ggml.pre', pre]]))
    const different = new Map(vectors[pre].map(({ text, tokens }) => [text, tokens]))
    assert.ok(different.size > 20)
    for (const { text, tokens } of vectors.plain) {
      assert.deepEqual(other.encode(text), different.get(text) ?? tokens, JSON.stringify(text))
    }
  })
}

test('tokens give back the bytes of the text', () => {
  for (const { text } of vectors.plain) assert.equal(decode(tokenizer.encode(text)), text)
})

test('conversations render as Jinja2 renders them, with the tokens of the whole prompt', () => {
  const turns = chats as { messages: ChatTurn[]; prompt: string }[]
  for (const { messages, prompt } of turns) {
    assert.equal(template.render({ messages }), prompt)
    assert.deepEqual(encodeChat(tokenizer, template, messages), tokenizer.encode(prompt, { special: true }), prompt)
  }
})

test('the longest token, the tokens that end an answer', () => {
  assert.equal(tokenizer.maxTokenBytes, 81)
  assert.deepEqual(
    tokenizer.eosIds.map((id) => [...tokenizer.controlTokens.keys()][id]),
    ['<|im_end|>', '<|endoftext|>'],
  )
})

test('time grows with the length, whatever the text is', () => {
  for (const unit of ['a', ' ', '\n', '!', 'é', '漢', '1', 'ab', ' a', '\r\n']) {
    const text = unit.repeat(100_000 / unit.length)
    const started = performance.now()
    assert.equal(decode(tokenizer.encode(text)), text)
    const ms = performance.now() - started
    // About 100 ms; quadratic merging takes minutes.
    assert.ok(ms < 5000, `${JSON.stringify(unit)} took ${ms} ms`)
  }
})

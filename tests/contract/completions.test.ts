import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BadRequestError } from 'openai'
import { MODEL } from '../support/model.ts'
import { openai } from '../support/shared.ts'

const client = openai()
const asked = { model: MODEL, prompt: 'One, two, three, four,', temperature: 0, max_tokens: 8 }

interface Tokenized {
  tokens: number[]
  count: number
  max_model_len: number
}
const tokenize = (body: object) => client.post<Tokenized>('/tokenize', { body: { model: MODEL, ...body } })
const detokenize = (tokens: number[]) =>
  client.post<{ prompt: string }>('/detokenize', { body: { model: MODEL, tokens } })

test('a text is gone on with', async () => {
  const completion = await client.completions.create(asked)
  assert.equal(completion.object, 'text_completion')
  assert.match(completion.id, /^cmpl-/)
  assert.match(completion.choices[0]?.text ?? '', /five/)
  assert.equal(completion.choices[0]?.finish_reason, 'length')
  assert.equal(completion.usage?.completion_tokens, 8)
})

test('a streamed answer is the plain one in pieces', async () => {
  const plain = await client.completions.create(asked)
  const stream = await client.completions.create({ ...asked, stream: true, stream_options: { include_usage: true } })
  const pieces = await Array.fromAsync(stream)
  assert.equal(pieces.map(({ choices }) => choices[0]?.text ?? '').join(''), plain.choices[0]?.text)
  assert.equal(pieces.at(-1)?.usage?.total_tokens, plain.usage?.total_tokens)
})

test('16 tokens are the default; the prompt may come first', async () => {
  const { choices, usage } = await client.completions.create({
    model: MODEL,
    prompt: asked.prompt,
    temperature: 0,
    echo: true,
  })
  assert.ok(choices[0]?.text.startsWith(asked.prompt))
  assert.ok((usage?.completion_tokens ?? 0) <= 16)
})

test('tokens go on as their text does', async () => {
  const { tokens, count, max_model_len } = await tokenize({ prompt: asked.prompt })
  assert.equal(count, tokens.length)
  assert.equal(max_model_len, 8192)
  assert.equal((await detokenize(tokens)).prompt, asked.prompt)
  const [asTokens, asText] = await Promise.all([
    client.completions.create({ ...asked, prompt: tokens }),
    client.completions.create(asked),
  ])
  assert.equal(asTokens.choices[0]?.text, asText.choices[0]?.text)
})

test('a chat has the tokens that its answer counts', async () => {
  const messages = [{ role: 'user' as const, content: 'Hello' }]
  const { count } = await tokenize({ messages })
  const { usage } = await client.chat.completions.create({ model: MODEL, messages, max_tokens: 1 })
  assert.equal(usage?.prompt_tokens, count)
})

test('several prompts have their answers in order', async () => {
  const prompt = [asked.prompt, 'Monday, Tuesday, Wednesday,']
  const { choices, usage } = await client.completions.create({ ...asked, prompt, n: 2 })
  assert.deepEqual(
    choices.map(({ index }) => index),
    [0, 1, 2, 3],
  )
  for (const at of [0, 1]) assert.match(choices[at]?.text ?? '', /five/)
  for (const at of [2, 3]) assert.match(choices[at]?.text ?? '', /Thursday/)
  const counts = await Promise.all(prompt.map((each) => tokenize({ prompt: each })))
  assert.equal(
    usage?.prompt_tokens,
    counts.reduce((sum, { count }) => sum + count, 0),
  )
})

test('log probabilities stand by their tokens', async () => {
  const { choices } = await client.completions.create({ ...asked, logprobs: 2 })
  const { text, logprobs } = choices[0] ?? {}
  assert.equal(logprobs?.tokens?.join(''), text)
  for (const [i, logprob] of (logprobs?.token_logprobs ?? []).entries()) {
    assert.ok(logprob <= 0)
    assert.equal(text?.slice(logprobs?.text_offset?.[i]).startsWith(logprobs?.tokens?.[i] ?? '?'), true)
  }
})

test('tokens that are a part of a character are told apart, and a character that is cut off is left out', async () => {
  const { choices } = await client.completions.create({
    model: MODEL,
    prompt: 'My favourite emoji: 😀😀😀😀',
    temperature: 0,
    max_tokens: 7,
    logprobs: 5,
  })
  const { text = '', logprobs } = choices[0] ?? {}
  assert.match(text, /^\s*😀/)
  assert.ok(text.isWellFormed() && !text.includes('\ufffd'))
  assert.equal(logprobs?.tokens?.length, 7)
  assert.ok(logprobs?.tokens?.includes('bytes:\\xf0\\x9f'), String(logprobs?.tokens))
  for (const [i, token] of (logprobs?.tokens ?? []).entries()) {
    const top: Record<string, number> = logprobs?.top_logprobs?.[i] ?? {}
    assert.equal(Object.keys(top).length, 5)
    assert.equal(top[token], logprobs?.token_logprobs?.[i])
  }
})

test('an empty prompt, and a bias of a token that is none, are refused', async () => {
  const refused = (param: string) => (error: unknown) => error instanceof BadRequestError && error.param === param
  await assert.rejects(client.completions.create({ ...asked, prompt: '' }), refused('prompt'))
  await assert.rejects(client.completions.create({ ...asked, logit_bias: { 9999999: 1 } }), refused('logit_bias'))
})

test('a token that is none is refused', async () => {
  await assert.rejects(client.completions.create({ ...asked, prompt: [1, 10_000_000] }), /no token 10000000/)
  await assert.rejects(detokenize([10_000_000]), /no token 10000000/)
})

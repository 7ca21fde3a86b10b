import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions'
import { MODEL } from '../support/model.ts'
import { openai } from '../support/shared.ts'

const client = openai()
type Parameters = Partial<ChatCompletionCreateParamsNonStreaming> & { top_k?: number; ignore_eos?: boolean }

/** A short greedy answer unless `parameters` say otherwise. */
function request(parameters: Parameters = {}) {
  return {
    model: MODEL,
    messages: [{ role: 'user' as const, content: 'Name the colours of the rainbow.' }],
    temperature: 0,
    max_tokens: 24,
    ...parameters,
  }
}

const answer = (parameters?: Parameters) => client.chat.completions.create({ ...request(parameters), stream: false })

async function text(parameters?: Parameters): Promise<string> {
  const { choices } = await answer(parameters)
  return choices[0]?.message.content ?? ''
}

test('a plain answer has the shape of a chat completion', async () => {
  const before = Math.floor(Date.now() / 1000)
  const completion = await answer()
  assert.match(completion.id, /^chatcmpl-/)
  assert.equal(completion.object, 'chat.completion')
  assert.equal(completion.model, MODEL)
  assert.ok(completion.created >= before && completion.created <= Date.now() / 1000)
  assert.match(completion.system_fingerprint ?? '', /^fp_/)
  assert.equal(completion.choices.length, 1)
  const [choice] = completion.choices
  assert.equal(choice?.index, 0)
  assert.equal(choice?.message.role, 'assistant')
  assert.equal(choice?.message.refusal, null)
  assert.ok((choice?.message.content ?? '').length > 0)
  const { usage } = completion
  assert.ok(usage !== undefined && usage.prompt_tokens > 0)
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
})

test('headers tell the request, who served it and how long it took', async () => {
  const { response } = await client.chat.completions.create(request({ max_tokens: 1 })).withResponse()
  assert.match(response.headers.get('x-request-id') ?? '', /^req_/)
  assert.equal(response.headers.get('x-served-by'), 'runner')
  assert.match(response.headers.get('openai-processing-ms') ?? '', /^\d+$/)
})

test('a streamed answer is the plain one in pieces', async () => {
  const stream = await client.chat.completions.create({ ...request(), stream: true })
  const chunks = await Array.fromAsync(stream)
  const [first] = chunks
  assert.equal(first?.choices[0]?.delta.role, 'assistant')
  for (const chunk of chunks) {
    assert.equal(chunk.object, 'chat.completion.chunk')
    assert.equal(chunk.id, first?.id)
    assert.equal(chunk.choices.length, 1)
  }
  assert.deepEqual(
    chunks.filter(({ choices }) => choices[0]?.finish_reason).map(({ choices }) => choices[0]?.finish_reason),
    [(await answer()).choices[0]?.finish_reason],
  )
  assert.ok(chunks.length > 5, 'pieces, not one block')
  assert.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), await text())
})

test('include_usage adds one last chunk with the usage', async () => {
  const stream = await client.chat.completions.create({
    ...request(),
    stream: true,
    stream_options: { include_usage: true },
  })
  const chunks = await Array.fromAsync(stream)
  const last = chunks.pop()
  assert.deepEqual(last?.choices, [])
  assert.deepEqual(last?.usage, (await answer()).usage)
  for (const { usage } of chunks) assert.equal(usage, null)
})

test('the client’s own stream helper accumulates it', async () => {
  const { model, messages } = request()
  const runner = client.chat.completions.stream({ model, messages, temperature: 0, max_tokens: 24 })
  assert.equal(await runner.finalContent(), await text())
})

test('a greedy answer is the same alone and in company', async () => {
  const alone = await text()
  const company = await Promise.all([text(), text({ temperature: 1 }), text(), text({ max_tokens: 5 })])
  assert.deepEqual([company[0], company[2]], [alone, alone])
})

test('a seed fixes a sampled answer; another seed gives another', async () => {
  const sampled = (seed: number) => text({ temperature: 1, top_p: 0.95, seed })
  assert.equal(await sampled(7), await sampled(7))
  assert.notEqual(await sampled(7), await sampled(8))
})

test('top_k of 1 is greedy at any temperature', async () => {
  assert.equal(await text({ temperature: 2, top_k: 1 }), await text())
})

test('several answers differ, and are those of seeds one after the other', async () => {
  const sampled = { temperature: 1.2, seed: 7 }
  const { choices, usage } = await answer({ ...sampled, n: 3 })
  const alone = await Promise.all([7, 8, 9].map((seed) => text({ ...sampled, seed })))
  assert.deepEqual(
    choices.map(({ message }) => message.content),
    alone,
  )
  assert.equal(new Set(alone).size, 3)
  assert.equal(usage?.prompt_tokens, (await answer({ max_tokens: 1 })).usage?.prompt_tokens)
})

test('streamed answers come side by side', async () => {
  const stream = await client.chat.completions.create({ ...request({ n: 2 }), stream: true })
  const texts = ['', '']
  for await (const { choices } of stream) {
    for (const { index, delta } of choices) texts[index] += delta.content ?? ''
  }
  assert.deepEqual(texts, [await text(), await text()])
})

test('log probabilities are those of the tokens chosen, the likeliest first', async () => {
  const { choices } = await answer({ logprobs: true, top_logprobs: 3 })
  const content = choices[0]?.logprobs?.content ?? []
  assert.equal(content.map(({ token }) => token).join(''), choices[0]?.message.content)
  for (const { token, logprob, top_logprobs } of content) {
    assert.equal(top_logprobs.length, 3)
    assert.deepEqual(top_logprobs[0], { token, logprob, bytes: [...Buffer.from(token)] }, 'greedy takes the likeliest')
    const share = top_logprobs.reduce((sum, top) => sum + Math.exp(top.logprob), 0)
    assert.ok(share > 0 && share <= 1 + 1e-6)
  }
})

test('a biased token comes, or stays away', async () => {
  const body = { model: MODEL, prompt: ' banana' }
  const { tokens } = await client.post<{ tokens: number[] }>('/tokenize', { body })
  const [banana = 0] = tokens
  assert.match(await text({ logit_bias: { [banana]: 100 }, max_tokens: 3 }), /^( ?banana){3}$/)
  const usual = (await answer({ logprobs: true })).choices[0]?.logprobs?.content?.[0]?.token ?? ''
  const { tokens: first } = await client.post<{ tokens: number[] }>('/tokenize', { body: { ...body, prompt: usual } })
  const other = await answer({ logit_bias: { [first[0] ?? 0]: -100 }, logprobs: true })
  assert.notEqual(other.choices[0]?.logprobs?.content?.[0]?.token, usual)
})

test('penalties keep an answer from repeating itself', async () => {
  /** How often the token stands there that stands there most. */
  const most = async (penalties: Parameters & { repetition_penalty?: number }) => {
    const { choices } = await answer({ max_tokens: 60, ignore_eos: true, logprobs: true, ...penalties })
    const counts = new Map<string, number>()
    for (const { token } of choices[0]?.logprobs?.content ?? []) counts.set(token, (counts.get(token) ?? 0) + 1)
    return Math.max(...counts.values())
  }
  const usual = await most({})
  for (const penalties of [{ frequency_penalty: 2 }, { presence_penalty: 2 }, { repetition_penalty: 1.5 }]) {
    const penalised = await most(penalties)
    assert.ok(penalised < usual, `${JSON.stringify(penalties)}: ${penalised} of ${usual}`)
  }
})

test('a beginning that was computed before is counted, and changes nothing', async () => {
  const messages = [{ role: 'user' as const, content: `The word is ${'very '.repeat(60)}long. What is the word?` }]
  const first = await answer({ messages })
  const second = await answer({ messages })
  assert.ok((second.usage?.prompt_tokens_details?.cached_tokens ?? 0) > 60)
  assert.equal(second.choices[0]?.message.content, first.choices[0]?.message.content)
})

test('an answer ends before a stop string, which may span tokens', async () => {
  const whole = await text()
  const middle = Math.floor(whole.length / 2)
  const stop = whole.slice(middle, middle + 5)
  const { choices } = await answer({ stop: ['not in there', stop] })
  assert.equal(choices[0]?.message.content, whole.slice(0, whole.indexOf(stop)))
  assert.equal(choices[0]?.finish_reason, 'stop')
})

test('max_tokens and max_completion_tokens bound the answer', async () => {
  for (const limit of [{ max_tokens: 3 }, { max_tokens: null, max_completion_tokens: 3 }]) {
    const { choices, usage } = await answer(limit)
    assert.equal(choices[0]?.finish_reason, 'length')
    assert.equal(usage?.completion_tokens, 3)
  }
})

test('an answer that ends by itself says so', async () => {
  const { choices, usage } = await answer({
    messages: [{ role: 'user', content: 'Answer with the single word yes.' }],
    max_tokens: 400,
  })
  assert.equal(choices[0]?.finish_reason, 'stop')
  assert.ok((usage?.completion_tokens ?? 400) < 400)
})

test('earlier turns and a system message are heard', async () => {
  const plain = await answer()
  const longer = await answer({
    messages: [
      { role: 'system', content: 'You speak like a pirate.' },
      { role: 'user', content: 'Name the colours of the rainbow.' },
      { role: 'assistant', content: 'Red.' },
      { role: 'user', content: [{ type: 'text', text: 'And the others?' }] },
    ],
  })
  assert.ok((longer.usage?.prompt_tokens ?? 0) > (plain.usage?.prompt_tokens ?? 0))
  assert.notEqual(longer.choices[0]?.message.content, plain.choices[0]?.message.content)
})

test('after a stream is dropped midway, the next request is served at once', async () => {
  const stream = await client.chat.completions.create({
    ...request({ max_tokens: 2000 }),
    temperature: 1,
    stream: true,
  })
  let seen = 0
  for await (const _chunk of stream) if (++seen === 5) break
  const started = performance.now()
  const { timings } = (await answer({ max_tokens: 1 })) as unknown as { timings: { queue_ms: number } }
  // The dropped answer had minutes to go; a token takes tens of milliseconds.
  assert.ok(timings.queue_ms < 2_000, `waited ${timings.queue_ms} ms of ${performance.now() - started}`)
})

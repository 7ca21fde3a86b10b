import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as v from 'valibot'
import { chatCompletionChunkSchema, chatCompletionSchema } from '#protocol/chat.ts'
import { ApiError } from '#protocol/error.ts'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'
import { dataOf } from '../testing/sse.ts'
import { begin, finish, hangsAfter, RUNNER_SECRET, refuses, START, says, streams } from '../testing/stub-runner.ts'

const HELLO = [{ role: 'user', content: 'Hello' }]
const chat = (fields: Record<string, unknown> = {}) => ({ model: 'stub', messages: HELLO, ...fields })

describe('POST /v1/chat/completions', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge({ runnerTimeoutMs: 300 })
  })
  after(() => edge.stop())
  const post = (fields: Record<string, unknown> = {}) => edge.ask('/v1/chat/completions', { body: chat(fields) })
  const stream = async (fields: Record<string, unknown> = {}) => {
    const response = await post({ stream: true, ...fields })
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    return dataOf(await response.text())
  }
  const chunksOf = (data: readonly string[]) =>
    data.slice(0, -1).map((text) => v.parse(chatCompletionChunkSchema, JSON.parse(text)))

  it('answers whole', async () => {
    edge.runner.script = says('Hel', 'lo')
    const response = await post()
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('x-served-by'), 'runner')
    assert.match(response.headers.get('openai-processing-ms') ?? '', /^\d+$/)
    const answer = v.parse(chatCompletionSchema, await response.json())
    assert.match(answer.id, /^chatcmpl-[0-9a-f]{32}$/)
    assert.equal(answer.system_fingerprint, 'fp_stub')
    assert.deepEqual(answer.choices, [
      {
        index: 0,
        message: { role: 'assistant', content: 'Hello', refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: 'stop',
      },
    ])
    assert.equal(answer.usage.prompt_tokens, 5)
    assert.equal(answer.usage.completion_tokens, 2)
    assert.equal(answer.usage.total_tokens, 7)
    assert.equal(answer.timings.generation_per_second, 500)
  })

  it('streams chunks of one id, a role first, a reason last, then [DONE]', async () => {
    edge.runner.script = says('Hel', 'lo')
    const data = await stream()
    assert.equal(data.at(-1), '[DONE]')
    const chunks = chunksOf(data)
    assert.equal(new Set(chunks.map(({ id, created }) => `${id} ${created}`)).size, 1)
    assert.deepEqual(
      chunks.map(({ choices }) => [choices[0]?.delta, choices[0]?.finish_reason]),
      [
        [{ role: 'assistant', content: '', refusal: null }, null],
        [{ content: 'Hel' }, null],
        [{ content: 'lo' }, null],
        [{}, 'stop'],
      ],
    )
    assert.ok(chunks.every((chunk) => !('usage' in chunk)))
    assert.equal(chunks.at(-1)?.timings?.generation_ms, 4)
  })

  it('gives the usage in a chunk of its own when asked to', async () => {
    edge.runner.script = says('Hello')
    const chunks = chunksOf(await stream({ stream_options: { include_usage: true } }))
    const last = chunks.at(-1)
    assert.deepEqual(last?.choices, [])
    assert.equal(last?.usage?.total_tokens, 6)
    assert.ok(chunks.slice(0, -1).every(({ usage }) => usage === null))
  })

  it('gives the log probabilities that were asked for, plain and streamed', async () => {
    const bytes = [0xf0, 0x9f]
    edge.runner.script = streams(
      START,
      {
        type: 'text-delta',
        text: 'Hi',
        tokens: [
          {
            bytes: [72, 105],
            logprob: -0.5,
            top: [
              { bytes, logprob: -1.5 },
              { bytes: [], name: '<|end|>', logprob: -2 },
            ],
          },
        ],
      },
      finish(1),
    )
    const content = [
      {
        token: 'Hi',
        logprob: -0.5,
        bytes: [72, 105],
        top_logprobs: [
          { token: '\\xf0\\x9f', logprob: -1.5, bytes },
          { token: '<|end|>', logprob: -2, bytes: null },
        ],
      },
    ]
    const body = chat({ logprobs: true, top_logprobs: 1 })
    const plain = await edge.ask('/v1/chat/completions', { body })
    const { choices } = (await plain.json()) as { choices: { logprobs: unknown }[] }
    assert.deepEqual(choices[0]?.logprobs, { content, refusal: null })
    const streamed = await edge.ask('/v1/chat/completions', { body: { ...body, stream: true } })
    assert.ok((await streamed.text()).includes(`"logprobs":${JSON.stringify({ content, refusal: null })}`))
  })

  it('asks the runner for what was asked for', async () => {
    edge.runner.script = says('ok')
    const messages = [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        name: 'ann',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      { role: 'assistant', content: 'c', refusal: null, annotations: [] },
      { role: 'user', content: 'd' },
    ]
    const response = await edge.ask('/v1/chat/completions', {
      body: chat({
        messages,
        temperature: 0.5,
        top_p: 0.9,
        top_k: 40,
        max_tokens: 9,
        max_completion_tokens: 7,
        stop: 'x',
        seed: 3,
        min_p: 0.05,
        typical_p: 0.9,
        frequency_penalty: 0.5,
        presence_penalty: -1,
        repetition_penalty: 1.1,
        logit_bias: { 50256: -100, 7: 1.5 },
        logprobs: true,
        top_logprobs: 2,
        min_tokens: 3,
        ignore_eos: true,
        service_tier: 'flex',
      }),
      headers: { 'x-request-id': 'mine-1' },
    })
    assert.equal(response.status, 200)
    const call = edge.runner.calls.at(-1)
    assert.equal(call?.authorization, `Bearer ${RUNNER_SECRET}`)
    assert.equal(call?.requestId, 'mine-1')
    const { bill, ...request } = call?.request ?? assert.fail('it was asked')
    assert.deepEqual([bill?.of, bill?.route], [1, '/v1/chat/completions'])
    assert.deepEqual(request, {
      model: 'stub',
      tenant: 'local',
      prompt: {
        type: 'chat',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'a\nb' },
          { role: 'assistant', content: 'c' },
          { role: 'user', content: 'd' },
        ],
      },
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      maxTokens: 7,
      stop: ['x'],
      seed: 3,
      minP: 0.05,
      typicalP: 0.9,
      frequencyPenalty: 0.5,
      presencePenalty: -1,
      repetitionPenalty: 1.1,
      logitBias: [
        [7, 1.5],
        [50256, -100],
      ],
      logprobs: 2,
      minTokens: 3,
      ignoreEos: true,
      background: true,
      constraint: null,
    })
  })

  for (const [what, fields] of Object.entries({
    'its defaults': {
      n: 1,
      frequency_penalty: 0,
      presence_penalty: 0,
      logprobs: false,
      logit_bias: {},
      tools: [],
      tool_choice: 'auto',
      response_format: { type: 'text' },
      modalities: ['text'],
      top_logprobs: null,
      reasoning_effort: null,
      temperature: null,
      top_p: null,
      max_tokens: null,
      stop: null,
      seed: null,
      stream_options: null,
    },
    'inert fields': {
      user: 'ann',
      metadata: { a: 'b' },
      store: true,
      safety_identifier: 's',
      prompt_cache_key: 'p',
      service_tier: 'auto',
    },
  })) {
    it(`takes ${what}`, async () => {
      edge.runner.script = says('ok')
      assert.equal((await post(fields)).status, 200)
    })
  }

  describe('refuses', () => {
    const cases: [fields: Record<string, unknown>, code: string, param: string | null][] = [
      [{ n: 17 }, 'invalid_value', 'n'],
      [{ n: 0 }, 'invalid_value', 'n'],
      [{ tools: [{ type: 'function' }] }, 'missing_required_parameter', 'tools[0].function'],
      [{ tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'unsupported_parameter', 'tools[0].type'],
      [{ response_format: { type: 'xml' } }, 'invalid_value', 'response_format.type'],
      [{ response_format: { type: 'json_schema' } }, 'missing_required_parameter', 'response_format.json_schema'],
      [{ regex: 'a', response_format: { type: 'json_object' } }, 'invalid_value', 'regex'],
      [{ modalities: ['text', 'audio'] }, 'unsupported_parameter', 'modalities[1]'],
      [{ reasoning_effort: 'high' }, 'unsupported_parameter', 'reasoning_effort'],
      [{ min_q: 0.1 }, 'unknown_parameter', 'min_q'],
      [{ frequency_penalty: 2.5 }, 'invalid_value', 'frequency_penalty'],
      [{ logit_bias: { 1: 101 } }, 'invalid_value', 'logit_bias.1'],
      [{ logit_bias: { hello: 1 } }, 'invalid_value', 'logit_bias.hello'],
      [{ top_logprobs: 3 }, 'invalid_value', 'top_logprobs'],
      [{ logprobs: true, top_logprobs: 21 }, 'invalid_value', 'top_logprobs'],
      [{ min_p: -0.1 }, 'invalid_value', 'min_p'],
      [{ service_tier: 'priority' }, 'unsupported_parameter', 'service_tier'],
      [{ constructor: 1 }, 'unknown_parameter', 'constructor'],
      [{ messages: undefined }, 'missing_required_parameter', 'messages'],
      [{ model: undefined }, 'missing_required_parameter', 'model'],
      [{ model: 1 }, 'invalid_value', 'model'],
      [{ messages: [] }, 'invalid_value', 'messages'],
      [{ messages: [{ role: 'user', content: ' ' }] }, 'invalid_value', 'messages'],
      [{ messages: [{ role: 'user' }] }, 'missing_required_parameter', 'messages[0].content'],
      [{ messages: [{ role: 'robot', content: 'a' }] }, 'invalid_value', 'messages[0].role'],
      [{ messages: [{ role: 'function', content: 'a' }] }, 'unsupported_parameter', 'messages[0].role'],
      [{ messages: [{ role: 'tool', content: 'a' }] }, 'missing_required_parameter', 'messages[0].tool_call_id'],
      [{ messages: [{ role: 'user', content: 'a', mood: 'b' }] }, 'unknown_parameter', 'messages[0].mood'],
      [{ messages: [{ role: 'user', content: '\ud800' }] }, 'invalid_value', 'messages[0].content'],
      [
        { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
        'unsupported_parameter',
        'messages[0].content[0].type',
      ],
      [
        { messages: [{ role: 'user', content: [{ type: 'text', text: 1 }] }] },
        'invalid_value',
        'messages[0].content[0].text',
      ],
      [{ messages: 'Hello' }, 'invalid_value', 'messages'],
      [{ temperature: 2.5 }, 'invalid_value', 'temperature'],
      [{ temperature: -1 }, 'invalid_value', 'temperature'],
      [{ temperature: '1' }, 'invalid_value', 'temperature'],
      [{ top_p: 1.5 }, 'invalid_value', 'top_p'],
      [{ top_k: 1.5 }, 'invalid_value', 'top_k'],
      [{ max_tokens: 0 }, 'invalid_value', 'max_tokens'],
      [{ max_tokens: 1.5 }, 'invalid_value', 'max_tokens'],
      [{ max_tokens: 1e9 }, 'invalid_value', 'max_tokens'],
      [{ seed: 2 ** 60 }, 'invalid_value', 'seed'],
      [{ stop: ['a', 'b', 'c', 'd', 'e'] }, 'invalid_value', 'stop'],
      [{ stop: [''] }, 'invalid_value', 'stop[0]'],
      [{ stop: 5 }, 'invalid_value', 'stop'],
      [{ stream_options: { include_usage: true } }, 'invalid_value', 'stream_options'],
    ]
    for (const [fields, code, param] of cases) {
      it(`${JSON.stringify(fields) ?? ''} as ${code}`, async () => {
        const before = edge.runner.calls.length
        const error = await errorOf(await post(fields))
        assert.deepEqual([error.status, error.code, error.param], [400, code, param])
        assert.equal(error.type, 'invalid_request_error')
        assert.ok(param === null || error.message.includes(param), error.message)
        assert.equal(edge.runner.calls.length, before)
      })
    }

    it('a number out of range with its limit and what was given', async () => {
      const { message } = await errorOf(await post({ temperature: 2.5 }))
      assert.equal(message, "Invalid 'temperature': expected a number of at most 2, got 2.5.")
    })
  })

  describe('passes on what the runner says', () => {
    it('when it refuses', async () => {
      edge.runner.script = refuses(new ApiError('queue_full', 'Too many.', { retryAfter: 7 }))
      const response = await post()
      assert.equal(response.headers.get('retry-after'), '7')
      const { status, code, type } = await errorOf(response)
      assert.deepEqual([status, code, type], [429, 'queue_full', 'rate_limit_error'])
    })

    it('when the prompt is too long, streamed or not', async () => {
      for (const flag of [true, false]) {
        edge.runner.script = refuses(new ApiError('context_length_exceeded', 'Too long.', { param: 'messages' }))
        const { status, code, param } = await errorOf(await post({ stream: flag }))
        assert.deepEqual([status, code, param], [400, 'context_length_exceeded', 'messages'])
      }
    })

    it('when it fails before its first token', async () => {
      edge.runner.script = streams({ type: 'generation-error', error: new ApiError('model_loading', 'Soon.').detail })
      for (const flag of [true, false]) {
        const { status, code } = await errorOf(await post({ stream: flag }))
        assert.deepEqual([status, code], [503, 'model_loading'])
      }
    })
  })

  describe('a stream that breaks ends with one error', () => {
    const lastOf = async () => {
      const data = await stream()
      assert.equal(data.filter((text) => text === '[DONE]').length, 0)
      const errors = data.map((text) => JSON.parse(text) as { error?: { code: string } }).filter(({ error }) => error)
      assert.equal(errors.length, 1)
      assert.ok(data.at(-1)?.startsWith('{"error":'))
      return errors[0]?.error?.code
    }
    const text = { type: 'text-delta', text: 'a' } as const

    it('said by the runner', async () => {
      edge.runner.script = streams(START, text, {
        type: 'generation-error',
        error: new ApiError('runner_failed', 'x').detail,
      })
      assert.equal(await lastOf(), 'runner_failed')
    })

    it('because the runner ended it', async () => {
      edge.runner.script = streams(START, text)
      assert.equal(await lastOf(), 'runner_failed')
    })

    it('because the runner died', async () => {
      edge.runner.script = (response) => {
        begin(response, START, text)
        setImmediate(() => response.destroy())
      }
      assert.equal(await lastOf(), 'runner_failed')
    })

    it('because the runner fell silent', async () => {
      edge.runner.script = hangsAfter(START, text)
      assert.equal(await lastOf(), 'runner_timeout')
    })

    it('because an event is not of the protocol', async () => {
      edge.runner.script = (response) => {
        begin(response, START)
        response.end('data: {"type":"surprise"}\n\n')
      }
      assert.equal(await lastOf(), 'runner_failed')
    })

    it('because an event has no end', async () => {
      edge.runner.script = (response) => {
        begin(response, START)
        response.end(`data: ${'a'.repeat(1 << 20)}`)
      }
      assert.equal(await lastOf(), 'runner_failed')
    })
  })

  describe('whole answers that break', () => {
    const errorAfter = async () => {
      const { status, code } = await errorOf(await post())
      return [status, code]
    }

    it('because the runner ended early', async () => {
      edge.runner.script = streams(START)
      assert.deepEqual(await errorAfter(), [502, 'runner_failed'])
    })

    it('because the runner is silent', async () => {
      edge.runner.script = () => {}
      assert.deepEqual(await errorAfter(), [504, 'runner_timeout'])
    })

    it('because the answer is of another shape', async () => {
      edge.runner.script = (response) => response.end('hello')
      assert.deepEqual(await errorAfter(), [502, 'runner_failed'])
    })

    it('because the runner finishes before it starts', async () => {
      edge.runner.script = streams(finish(0))
      assert.deepEqual(await errorAfter(), [502, 'runner_failed'])
    })
  })

  describe('stops the runner when the client goes', () => {
    it('while it waits for a whole answer', async () => {
      edge.runner.script = hangsAfter(START)
      await leavesDuring({})
    })

    it('while its request is queued', async () => {
      edge.runner.script = hangsAfter()
      await leavesDuring({ stream: true })
    })

    it('in the middle of a stream', async () => {
      edge.runner.script = hangsAfter(START, { type: 'text-delta', text: 'a' })
      const leave = new AbortController()
      const arrival = edge.runner.nextCall()
      const response = await edge.ask('/v1/chat/completions', { body: chat({ stream: true }), signal: leave.signal })
      const reader = response.body?.getReader()
      await reader?.read()
      leave.abort()
      await withinTimeoutOfSilence((await arrival).closed)
    })

    async function leavesDuring(fields: Record<string, unknown>) {
      const leave = new AbortController()
      const arrival = edge.runner.nextCall()
      const answer = edge.ask('/v1/chat/completions', { body: chat(fields), signal: leave.signal })
      const call = await arrival
      leave.abort()
      await assert.rejects(answer, { name: 'AbortError' })
      await withinTimeoutOfSilence(call.closed)
    }

    /** The silence timer would stop the runner too, so that being quicker than it is what shows. */
    async function withinTimeoutOfSilence(closed: Promise<void>) {
      const started = performance.now()
      await closed
      assert.ok(performance.now() - started < 250)
    }
  })

  it('is not disturbed by all this, and logs none of it', async () => {
    edge.runner.script = says('fine')
    assert.equal((await post()).status, 200)
    assert.deepEqual(
      edge.logs.filter((line) => line.includes('request-failed')),
      [],
    )
  })
})

describe('without a runner', () => {
  it('answers 503 with Retry-After', async () => {
    const edge = await startEdge({ runnerUrl: 'http://127.0.0.1:1' })
    try {
      const response = await edge.ask('/v1/chat/completions', { body: chat() })
      assert.match(response.headers.get('retry-after') ?? '', /^\d+$/)
      const { status, code } = await errorOf(response)
      assert.deepEqual([status, code], [503, 'runner_unavailable'])
      const health = await edge.ask('/health', { key: null })
      assert.equal(health.status, 503)
      assert.match(health.headers.get('retry-after') ?? '', /^\d+$/)
      assert.equal(((await health.json()) as { status: string }).status, 'starting')
    } finally {
      await edge.stop()
    }
  })
})

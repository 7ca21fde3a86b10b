/** Bad input, end to end: the contract's error, as the official client's own class, and then the next request works. */
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { AuthenticationError, BadRequestError, NotFoundError } from 'openai'
import { MODEL } from '../support/model.ts'
import { post } from '../support/post.ts'
import { openai, url } from '../support/shared.ts'

const messages = [{ role: 'user' as const, content: 'Hello' }]
const valid = { model: MODEL, messages, max_tokens: 1 }

interface Expected {
  readonly status: number
  readonly code: string
  readonly param?: string | null
  readonly message?: RegExp
}

/** The body is the contract's error, whole and with nothing beside it. */
async function assertError(response: Response, { status, code, param, message }: Expected): Promise<void> {
  const text = await response.text()
  assert.equal(response.status, status, text)
  const body = JSON.parse(text) as { error: Record<string, unknown> }
  assert.deepEqual(Object.keys(body), ['error'])
  assert.deepEqual(Object.keys(body.error).sort(), ['code', 'message', 'param', 'type'])
  assert.equal(body.error.code, code)
  if (param !== undefined) assert.equal(body.error.param, param)
  if (message) assert.match(String(body.error.message), message)
  assert.match(response.headers.get('x-request-id') ?? '', /^req_/)
}

const refuse = async (body: object, expected: Expected) => assertError(await post(JSON.stringify(body)), expected)

afterEach(async () => {
  const { choices } = await openai().chat.completions.create(valid)
  assert.equal(choices.length, 1)
})

describe('keys', () => {
  test('no key', async () => {
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(valid) })
    await assertError(response, { status: 401, code: 'missing_api_key', param: null })
  })

  test('a wrong key, of the right form and of another', async () => {
    for (const apiKey of [`tdm_${'A'.repeat(43)}`, 'sk-1', `' OR 1=1 --`]) {
      await assert.rejects(openai({ apiKey }).chat.completions.create(valid), (error) => {
        assert.ok(error instanceof AuthenticationError)
        assert.equal(error.code, 'invalid_api_key')
        return true
      })
    }
  })
})

test('an unknown model is not found', async () => {
  await assert.rejects(openai().chat.completions.create({ ...valid, model: 'gpt-4' }), (error) => {
    assert.ok(error instanceof NotFoundError)
    assert.equal(error.code, 'model_not_found')
    assert.equal(error.param, 'model')
    assert.match(error.message, /gpt-4/)
    return true
  })
})

test('a bad request is the client’s BadRequestError, with its field', async () => {
  await assert.rejects(openai().chat.completions.create({ ...valid, temperature: 3 }), (error) => {
    assert.ok(error instanceof BadRequestError)
    assert.equal(error.type, 'invalid_request_error')
    assert.equal(error.param, 'temperature')
    assert.match(error.message, /2.*3|3.*2/, 'names the limit and the value')
    return true
  })
})

describe('fields', () => {
  const invalid = { status: 400, code: 'invalid_value' }
  const cases: [name: string, body: object, expected: Expected][] = [
    ['no messages', { ...valid, messages: [] }, { ...invalid, param: 'messages' }],
    ['messages left out', { model: MODEL }, { status: 400, code: 'missing_required_parameter', param: 'messages' }],
    [
      'an unknown role',
      { ...valid, messages: [{ role: 'king', content: 'x' }] },
      { ...invalid, param: 'messages[0].role' },
    ],
    ['a temperature below 0', { ...valid, temperature: -0.1 }, { ...invalid, param: 'temperature' }],
    ['a top_p over 1', { ...valid, top_p: 1.1 }, { ...invalid, param: 'top_p' }],
    ['max_tokens of 0', { ...valid, max_tokens: 0 }, { ...invalid, param: 'max_tokens' }],
    ['max_tokens of 1e9', { ...valid, max_tokens: 1e9 }, { ...invalid, param: 'max_tokens' }],
    ['half a token', { ...valid, max_tokens: 1.5 }, { ...invalid, param: 'max_tokens' }],
    ['a seed beyond safe integers', { ...valid, seed: 1e300 }, { ...invalid, param: 'seed' }],
    [
      'too many stop strings',
      { ...valid, stop: ['a', 'b', 'c', 'd', 'e'] },
      { status: 400, code: 'invalid_value', param: 'stop' },
    ],
    [
      'half of a surrogate pair',
      { ...valid, messages: [{ role: 'user', content: '\ud800' }] },
      { ...invalid, param: 'messages[0].content' },
    ],
    [
      'an unknown field',
      { ...valid, chat_template_kwargs: {} },
      { status: 400, code: 'unknown_parameter', param: 'chat_template_kwargs' },
    ],
    ['more answers than one', { ...valid, n: 1e6 }, { status: 400, code: 'invalid_value', param: 'n' }],
    [
      'text over the context',
      { ...valid, messages: [{ role: 'user', content: 'word '.repeat(20_000) }] },
      { status: 400, code: 'context_length_exceeded', param: 'messages', message: /8192/ },
    ],
    [
      'an answer that does not fit',
      { ...valid, max_tokens: 8192 },
      { status: 400, code: 'context_length_exceeded', message: /8192/ },
    ],
  ]
  for (const [name, body, expected] of cases) test(name, () => refuse(body, expected))
})

describe('bodies', () => {
  test('broken JSON', async () => {
    await assertError(await post('{"model": '), { status: 400, code: 'invalid_json' })
  })

  test('NaN, which JSON does not have', async () => {
    const body = JSON.stringify(valid).replace('"max_tokens":1', '"temperature":NaN')
    await assertError(await post(body), { status: 400, code: 'invalid_json' })
  })

  test('nothing at all', async () => {
    await assertError(await post(''), { status: 400, code: 'invalid_json' })
  })

  test('10 MB', async () => {
    await assertError(await post(`"${'x'.repeat(10 << 20)}"`), { status: 413, code: 'request_too_large' })
  })

  test('10 MB of unannounced length', async () => {
    async function* blanks() {
      for (let sent = 0; sent < 10 << 20; sent += 1 << 16) yield new Uint8Array(1 << 16).fill(32)
    }
    const response = await post(ReadableStream.from(blanks()))
    await assertError(response, { status: 413, code: 'request_too_large' })
  })

  test('100,000 levels of nesting', async () => {
    const deep = 100_000
    const response = await post(`{"messages":${'['.repeat(deep)}${']'.repeat(deep)}}`)
    await assertError(response, { status: 400, code: 'invalid_json', message: /64/ })
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Ask, type Edge, errorOf, startEdge } from '../testing/edge.ts'

const MEGABYTE = 1 << 20
const CHAT = '/v1/chat/completions'
const HELLO = { model: 'stub', messages: [{ role: 'user', content: 'Hello' }] }

describe('a body', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
  })
  after(() => edge.stop())
  const refusal = async (ask: Ask) => {
    const { status, code, message } = await errorOf(await edge.ask(CHAT, ask))
    return { status, code, message }
  }

  for (const [what, body] of [
    ['broken JSON', '{"model": "stub"'],
    ['nothing', ''],
    ['NaN', '{"model":"stub","messages":[],"temperature":NaN}'],
    ['two values', '{} {}'],
    ['a bare word', 'hello'],
    ['100,000-deep arrays', '['.repeat(100_000)],
    ['100,000-deep objects', '{"a":'.repeat(100_000)],
    ['100,000-deep arrays that end', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ] as const) {
    it(`of ${what} is no JSON to us`, async () => {
      const { status, code } = await refusal({ body, method: 'POST', headers: { 'content-type': 'application/json' } })
      assert.deepEqual([status, code], [400, 'invalid_json'])
    })
  }

  it('may nest as deep as the limit, in brackets that are not text', async () => {
    const nested = (depth: number) => ({ body: `${'['.repeat(depth)}"[[[[\\"[["${']'.repeat(depth)}` })
    assert.equal((await refusal(nested(64))).code, 'missing_required_parameter')
    assert.deepEqual(await refusal(nested(65)), {
      status: 400,
      code: 'invalid_json',
      message: 'The body nests deeper than 64 levels.',
    })
  })

  for (const [what, body] of [
    ['an array', '[]'],
    ['a string', '"a"'],
    ['null', 'null'],
  ] as const) {
    it(`that is ${what} is refused`, async () => assert.equal((await refusal({ body })).status, 400))
  }

  it('over the limit is too large, whether its length is declared or not', async () => {
    const expected = { status: 413, code: 'request_too_large' }
    const declared = await refusal({ body: ' '.repeat(10 * MEGABYTE) })
    assert.deepEqual({ status: declared.status, code: declared.code }, expected)
    assert.match(declared.message, /at most 1048576 bytes, got 10485760/)
    const response = await fetch(edge.url + CHAT, {
      method: 'POST',
      headers: { authorization: `Bearer ${edge.key}`, 'content-type': 'application/json' },
      body: inChunks(10 * MEGABYTE),
      duplex: 'half',
    } as RequestInit)
    const { status, code } = await errorOf(response)
    assert.deepEqual({ status, code }, expected)
  })

  it('up to the limit is read', async () => {
    const room = MEGABYTE - JSON.stringify({ ...HELLO, user: '' }).length
    assert.equal((await edge.ask(CHAT, { body: { ...HELLO, user: 'a'.repeat(room) } })).status, 200)
    assert.equal((await edge.ask(CHAT, { body: { ...HELLO, user: 'a'.repeat(room + 1) } })).status, 413)
  })

  for (const [what, headers] of [
    ['text', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['nothing', { 'content-type': '' }],
    ['compressed JSON', { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
  ] as const) {
    it(`that says it is ${what} is not read`, async () => {
      const { status, code } = await refusal({ body: JSON.stringify(HELLO), headers })
      assert.deepEqual([status, code], [415, 'unsupported_media_type'])
    })
  }

  it('of fields is not read packed, nor with bytes that are no UTF-8', async () => {
    const form = 'application/x-www-form-urlencoded'
    const translate = async (body: string, headers: Record<string, string>) => {
      const response = await fetch(`${edge.url}/v2/translate`, {
        method: 'POST',
        headers: { authorization: `Bearer ${edge.key}`, ...headers },
        body,
      })
      return [response.status, await response.json()]
    }
    assert.deepEqual(await translate('{}', { 'content-type': 'application/json', 'content-encoding': 'gzip' }), [
      415,
      { message: "A body with Content-Encoding 'gzip' is not read." },
    ])
    for (const text of ['%FF', '%e2%82', 'a%C3+%A9']) {
      const refused = await translate(`text=${text}`, { 'content-type': form })
      assert.deepEqual(refused, [400, { message: 'The body is not valid UTF-8.' }])
    }
    const read = await translate('text=100%+%E2%82%AC', { 'content-type': form })
    assert.deepEqual(read, [400, { message: "Missing required parameter: 'target_lang'." }])
  })

  it('is told what a field has to be', async () => {
    const message = async (path: string, body: unknown) => {
      const answer = (await (await edge.ask(path, { body: JSON.stringify(body) })).json()) as { message: string }
      return answer.message
    }
    assert.equal(
      await message('/v2/translate', { text: ['a'], target_lang: '' }),
      "Invalid 'target_lang': expected the code of a language, such as 'en' or 'pt-BR', got \"\".",
    )
    assert.equal(await message('/v2/translate', null), 'Invalid body: expected an object, got null.')
  })

  it('may name its charset', async () => {
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' }
    assert.equal((await edge.ask(CHAT, { body: HELLO, headers })).status, 200)
  })

  it('with bytes that are no UTF-8 is refused', async () => {
    const response = await fetch(edge.url + CHAT, {
      method: 'POST',
      headers: { authorization: `Bearer ${edge.key}`, 'content-type': 'application/json' },
      body: new Uint8Array([0x22, 0xff, 0x22]),
    })
    assert.equal((await errorOf(response)).code, 'invalid_json')
  })

  it('cannot reach what objects inherit', async () => {
    const { code } = await refusal({ body: `{"__proto__": {"stream": true}, ${JSON.stringify(HELLO).slice(1)}` })
    assert.equal(code, 'unknown_parameter')
    const made = await edge.ask('/v1/conversations', { body: '{"metadata": {"__proto__": "a", "title": "b"}}' })
    assert.deepEqual(((await made.json()) as { metadata: unknown }).metadata, { title: 'b' })
    assert.equal((await edge.ask(CHAT, { body: HELLO })).status, 200)
  })
})

function inChunks(size: number): ReadableStream<Uint8Array> {
  let left = size
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close()
      controller.enqueue(new Uint8Array(Math.min(left, 1 << 16)).fill(0x20))
      left -= 1 << 16
    },
  })
}

/** What the edge counts is what the model computes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MODEL } from '../support/model.ts'
import { key, url } from '../support/shared.ts'

const ask = (path: string, body: object, as = key) =>
  fetch(url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

const tool = {
  type: 'function',
  function: { name: 'add', parameters: { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] } },
}
for (const [what, path, body] of [
  ['a question', '/v1/chat/completions', { messages: [{ role: 'user', content: 'Why is the sky blue? 😀' }] }],
  [
    'a conversation',
    '/v1/chat/completions',
    {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello <|im_end|>' },
        { role: 'assistant', content: 'Hi.' },
        { role: 'user', content: '¿Qué tal?' },
      ],
    },
  ],
  ['tools', '/v1/chat/completions', { messages: [{ role: 'user', content: 'Add.' }], tools: [tool] }],
  ['a bare text', '/v1/completions', { prompt: 'Call me Ishmael. Some years ago I went to sea.' }],
] as const) {
  test(`a request over its key's tokens is refused before it is computed: ${what}`, async () => {
    const made = await ask('/v1/keys', { name: 'small', scopes: ['chat'], limits: { tokens_per_minute: 5 } })
    const { key: small } = (await made.json()) as { key: string }
    const request = { model: MODEL, max_tokens: 1, ...body }
    const answered = await ask(path, request)
    const { usage } = (await answered.json()) as { usage: { prompt_tokens: number } }
    const refused = await ask(path, request, small)
    assert.equal(refused.status, 429)
    const { error } = (await refused.json()) as { error: { message: string; code: string } }
    assert.equal(error.code, 'rate_limit_exceeded')
    assert.match(error.message, new RegExp(`this request may take ${usage.prompt_tokens + 1}\\b`))
    const long = await ask(path, { ...request, max_tokens: 100_000 }, small)
    const { error: tooLong } = (await long.json()) as { error: { code: string } }
    assert.deepEqual([long.status, tooLong.code], [400, 'context_length_exceeded'])
  })
}

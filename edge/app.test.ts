import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Edge, startEdge } from './testing/edge.ts'
import { says } from './testing/stub-runner.ts'

const SECURITY = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

describe('every answer', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
  })
  after(() => edge.stop())

  for (const [what, path, ask] of [
    ['the page', '/', { key: null }],
    ['a file of the page', '/assets/index-abc123.js', { key: null }],
    ['a file that is not there', '/assets/none-0.js', { key: null }],
    ['HEAD', '/', { key: null, method: 'HEAD' }],
    ['401', '/v1/models', { key: null }],
    ['404', '/v1/nothing', {}],
    ['405', '/health', { method: 'POST', body: {} }],
    ['400', '/v1/chat/completions', { body: '{' }],
    ['an answer', '/v1/models', {}],
    ['health', '/health', { key: null }],
    ['docs', '/docs', { key: null }],
    [
      'a stream',
      '/v1/chat/completions',
      { body: { model: 'm', messages: [{ role: 'user', content: 'a' }], stream: true } },
    ],
  ] as const) {
    it(`has the security headers and a request id: ${what}`, async () => {
      edge.runner.script = says('a')
      const response = await edge.ask(path, ask)
      await response.arrayBuffer()
      for (const [name, value] of Object.entries(SECURITY)) assert.equal(response.headers.get(name), value, name)
      const policy = response.headers.get('content-security-policy') ?? ''
      for (const part of ["default-src 'none'", "script-src 'self'", "object-src 'none'", "frame-ancestors 'none'"]) {
        assert.ok(policy.split('; ').includes(part), policy)
      }
      assert.ok(!policy.includes('unsafe'))
      assert.match(response.headers.get('x-request-id') ?? '', /^req_[0-9a-f]{32}$/)
      assert.equal(response.headers.get('strict-transport-security'), null)
    })
  }

  it('takes up a sane request id, and no other', async () => {
    const idFor = async (given: string) =>
      (await edge.ask('/health', { headers: { 'x-request-id': given } })).headers.get('x-request-id')
    assert.equal(await idFor('My_id-1.2'), 'My_id-1.2')
    for (const given of ['a b', 'a"b', '<b>', 'a'.repeat(65), 'é']) assert.match((await idFor(given)) ?? '', /^req_/)
  })
})

describe('what goes wrong inside', () => {
  it('is told as a 500 without details, and logged without what was sent', async () => {
    const edge = await startEdge()
    try {
      await edge.database.prepare('ALTER TABLE conversations RENAME TO elsewhere').run()
      const response = await edge.ask('/v1/conversations', {
        body: { items: [{ role: 'user', content: 'canary' }] },
        headers: { 'x-request-id': 'find-me' },
      })
      assert.equal(response.status, 500)
      const text = await response.text()
      assert.equal(JSON.parse(text).error.code, 'internal_error')
      assert.ok(!/D1|SQL|table|stack/.test(text), text)
      const [line = '{}', ...others] = edge.logs
      assert.equal(others.length, 0)
      const entry = JSON.parse(line)
      assert.deepEqual([entry.requestId, entry.method, entry.level], ['find-me', 'POST', 'error'])
      assert.match(entry.error.message, /no such table/)
      assert.ok(!line.includes('canary') && !line.includes('tdm_'))
    } finally {
      await edge.stop()
    }
  })
})

describe('the page', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
  })
  after(() => edge.stop())

  for (const path of ['/', '/index.html', '/chat', '/chat/conv_123', '/?q=1']) {
    it(`opens at ${path}`, async () => {
      const response = await edge.ask(path, { key: null })
      assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8')
      assert.equal(response.headers.get('cache-control'), 'no-cache')
      assert.match(await response.text(), /<title>Tandem/)
    })
  }

  it('keeps a hashed file for ever, and answers 304', async () => {
    const path = '/assets/index-abc123.js'
    const response = await edge.ask(path, { key: null })
    assert.equal(response.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    const etag = response.headers.get('etag') ?? ''
    const again = await edge.ask(path, { key: null, headers: { 'if-none-match': etag } })
    assert.equal(again.status, 304)
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { operations } from '../app.ts'
import { dialectOf } from '../http/dialect.ts'
import { createKey, revokeKey } from '../storage/keys.ts'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'
import { isPublic } from './public-routes.ts'

const concrete = (path: string) => path.replaceAll(/\{\w+\}/g, 'some-id')

describe('auth', () => {
  let edge: Edge
  before(async () => {
    // On loopback no number of keys is too many.
    edge = await startEdge({ loopback: true })
  })
  after(() => edge.stop())
  const refusal = async (path: string, ask: Parameters<Edge['ask']>[1]) => {
    const { status, code } = await errorOf(await edge.ask(path, ask))
    return [status, code]
  }
  /** In DeepL's shape, or LibreTranslate's: status and message. */
  const otherRefusal = async (path: string, ask: Parameters<Edge['ask']>[1]) => {
    const response = await edge.ask(path, ask)
    const { message, error } = (await response.json()) as { message?: string; error?: string }
    return `${response.status} ${message ?? error}`
  }

  for (const { method, path, scope } of operations) {
    const target = concrete(path)
    if (scope === null) {
      it(`${method} ${path} is open, and is listed as such`, () => assert.ok(isPublic(method, target)))
      continue
    }
    if (dialectOf(path) !== 'openai') {
      it(`${method} ${path} is closed`, async () => {
        assert.ok(!isPublic(method, target))
        assert.match(await otherRefusal(target, { method, key: null }), /^403 You didn't provide an API key/)
        const key = `tdm_${'A'.repeat(43)}`
        assert.match(await otherRefusal(target, { method, key }), /^403 Incorrect API key provided/)
        const other = await edge.newKey({ scopes: ['none'] })
        assert.match(await otherRefusal(target, { method, key: other.key }), /^403 This API key lacks the scope/)
      })
      continue
    }
    it(`${method} ${path} is closed`, async () => {
      assert.ok(!isPublic(method, target))
      assert.deepEqual(await refusal(target, { method, key: null }), [401, 'missing_api_key'])
      assert.deepEqual(await refusal(target, { method, key: `tdm_${'A'.repeat(43)}` }), [401, 'invalid_api_key'])
      const { key } = await edge.newKey({ scopes: ['none'] })
      assert.deepEqual(await refusal(target, { method, key }), [403, 'insufficient_scope'])
      const head = await edge.ask(target, { method: 'HEAD', key: null })
      assert.equal(head.status, 401)
      assert.equal(head.headers.get('www-authenticate'), 'Bearer')
    })
  }

  for (const path of [
    '/v1',
    '/nothing',
    '/v1/models/',
    '//v1/models',
    '/v1//models',
    '/./v1/models',
    '/assets/../v1/models',
    '/assets/%2e%2e/v1/models',
    '/%76%31/models',
    '/assets%2f..%2fv1/models',
    '/health/',
    '//health',
    '/health%2f',
    '/health/../v1/models',
    '/chat/a/b',
    '/chat/%2e%2e/v1/models',
    '/docs/../v1/models',
    '/assets/',
    '/assets/a/b.js',
    '/;/v1/models',
    '/openapi.json/',
    '/openapiXjson',
    '/index.html/../v1/models',
    '/V1/models',
    '/cdn-cgi/x',
  ]) {
    it(`${path} without a key is closed`, async () => {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'PROPFIND', 'TRACE']) {
        const { status, headers } = await edge.raw(path, { method, key: null })
        assert.equal(status, 401, method)
        assert.match(String(headers['content-security-policy']), /default-src 'none'/)
      }
    })
  }

  it('tells what is not there from what has other methods, to whoever has a key', async () => {
    assert.deepEqual(await refusal('/v1/nothing', {}), [404, 'not_found'])
    const response = await edge.ask('/v1/chat/completions', {})
    assert.equal(response.headers.get('allow'), 'POST')
    assert.deepEqual(await errorOf(response).then(({ status, code }) => [status, code]), [405, 'method_not_allowed'])
    const models = await edge.ask('/v1/models', { method: 'DELETE' })
    assert.deepEqual([models.status, models.headers.get('allow')], [405, 'GET, HEAD'])
  })

  for (const [what, authorization] of [
    ['no scheme', 'abc'],
    ['Basic', 'Basic dXNlcjpwYXNz'],
    ['nothing after Bearer', 'Bearer'],
    ['two words', 'Bearer a b'],
    ['a key of another form', 'Bearer sk-abcdef0123456789abcdef'],
    ['SQL', "Bearer ' OR 1=1 --"],
    ['a long one', `Bearer ${'a'.repeat(4000)}`],
  ] as const) {
    it(`takes ${what} for no key`, async () => {
      const response = await edge.ask('/v1/models', { key: null, headers: { authorization } })
      const { status, code, message } = await errorOf(response)
      assert.deepEqual([status, code], [401, 'invalid_api_key'])
      assert.ok(message.length < 100)
    })
  }

  it('redacts the key that it quotes', async () => {
    const key = `tdm_${'Secret'.repeat(7)}x`
    const { message } = await errorOf(await edge.ask('/v1/models', { key }))
    assert.equal(message, 'Incorrect API key provided: tdm_Sec***retx.')
  })

  it('accepts a key by its name or in lower case scheme', async () => {
    const headers = { authorization: `bearer  ${edge.key}` }
    assert.equal((await edge.ask('/v1/models', { key: null, headers })).status, 200)
  })

  it('does not take keys from elsewhere', async () => {
    for (const headers of [{ 'x-api-key': edge.key }, { cookie: `tandem_session=${edge.key}` }]) {
      assert.deepEqual(await refusal('/v1/models', { key: null, headers }), [401, 'missing_api_key'])
    }
    assert.deepEqual(await refusal(`/v1/models?api_key=${edge.key}`, { key: null }), [401, 'missing_api_key'])
  })

  it('refuses a key that has expired or was revoked before its first use', async () => {
    const expired = await edge.newKey({ expiresAt: Date.now() - 1 })
    assert.deepEqual(await refusal('/v1/models', { key: expired.key }), [401, 'invalid_api_key'])
    const revoked = await edge.newKey()
    assert.equal(await revokeKey(edge.database, revoked.id), true)
    assert.equal(await revokeKey(edge.database, revoked.id), false)
    assert.deepEqual(await refusal('/v1/models', { key: revoked.key }), [401, 'invalid_api_key'])
  })

  it('lets a scope do what it says, and no more', async () => {
    const { key } = await createKey(edge.database, { name: 'm', scopes: ['models', 'chat'], owner: 'm' })
    assert.equal((await edge.ask('/v1/models', { key })).status, 200)
    assert.deepEqual(await refusal('/v1/conversations', { key }), [403, 'insufficient_scope'])
  })

  it('keeps no key in its database', async () => {
    const { results } = await edge.database.prepare('SELECT * FROM keys').all()
    assert.ok(results.length > 0 && !JSON.stringify(results).includes('tdm_'))
  })
})

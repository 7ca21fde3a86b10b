import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { revokeKey } from '../storage/keys.ts'
import { type Edge, type RawAnswer, startEdge } from '../testing/edge.ts'

type Headers = Record<string, string>

/** The `name=value` of an answer's session cookie. */
const cookieOf = ({ headers }: RawAnswer) => headers['set-cookie']?.[0]?.split(';')[0] ?? ''

describe('/session on loopback', () => {
  let edge: Edge
  let own: { host: string; origin: string }
  before(async () => {
    edge = await startEdge({ loopback: true })
    own = { host: `localhost:${edge.port}`, origin: `http://localhost:${edge.port}` }
  })
  after(() => edge.stop())
  const send = (method: string, path: string, headers: Headers, body?: unknown) =>
    edge.raw(path, { method, key: null, headers, body })
  const signIn = (headers: Headers) => send('POST', '/session', headers)

  it('signs its own page in, with a cookie that no script reads and no other site sends', async () => {
    const answer = await signIn({ ...own, 'sec-fetch-site': 'same-origin' })
    assert.equal(answer.status, 200)
    const [cookie] = answer.headers['set-cookie'] ?? []
    assert.match(
      cookie ?? '',
      new RegExp(`^tandem_session_${edge.port}=[A-Za-z0-9_-]{43}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict$`),
    )
    const { signed_in, owner } = JSON.parse(answer.body)
    assert.deepEqual([signed_in, owner], [true, 'local'])
  })

  for (const name of ['localhost', '127.0.0.1', '[::1]']) {
    it(`answers to ${name}`, async () => {
      const host = `${name}:${edge.port}`
      assert.equal((await signIn({ host, origin: `http://${host}` })).status, 200)
      assert.equal((await signIn({ host })).status, 200)
    })
  }

  for (const [what, headers] of [
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another site, in an old browser', { origin: 'https://evil.example' }],
    ['a sandboxed frame', { origin: 'null' }],
    ['another port of this machine', { origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' }],
    ['another scheme', { origin: 'https://localhost' }],
    ['a link on another site', { 'sec-fetch-site': 'cross-site' }],
  ] satisfies [string, Headers][]) {
    it(`does not sign in ${what}`, async () => {
      const answer = await signIn({ host: own.host, ...headers } as Headers)
      assert.equal(answer.status, 403)
      assert.equal(answer.headers['set-cookie'], undefined)
    })
  }

  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    'evil.example:8787',
    '0.0.0.0',
    '127.0.0.1@evil.example',
  ]) {
    it(`does not sign in under the name ${host}`, async () => {
      for (const headers of [{ host }, { host, origin: `http://${host}` }] as Headers[]) {
        const answer = await signIn(headers)
        assert.ok(answer.status === 403, String(answer.status))
        assert.equal(answer.headers['set-cookie'], undefined)
      }
    })
  }

  it('takes the cookie from the page, and only from it', async () => {
    const cookie = cookieOf(await signIn(own))
    const create = (headers: Headers) => send('POST', '/v1/conversations', { cookie, ...headers }, {})
    assert.equal((await send('GET', '/v1/conversations', { host: own.host, cookie })).status, 200)
    assert.equal((await create(own)).status, 200)
    assert.equal((await create({ host: own.host, 'sec-fetch-site': 'same-origin' })).status, 200)
    assert.equal((await create({ host: own.host })).status, 403)
    assert.equal((await create({ host: own.host, origin: 'http://localhost:1' })).status, 403)
    assert.equal((await create({ ...own, 'sec-fetch-site': 'cross-site' })).status, 403)
    assert.equal((await send('GET', '/v1/conversations', { host: `evil.example:${edge.port}`, cookie })).status, 401)
  })

  it('shows the page what the first key made', async () => {
    const cookie = cookieOf(await signIn(own))
    const made = await edge.ask('/v1/conversations', { body: { metadata: { title: 'shared' } } })
    const { id } = (await made.json()) as { id: string }
    assert.equal((await send('GET', `/v1/conversations/${id}`, { host: own.host, cookie })).status, 200)
  })

  it('tells whether it is signed in, and signs out', async () => {
    const signedIn = async (headers: Headers) => JSON.parse((await send('GET', '/session', headers)).body).signed_in
    assert.equal(await signedIn(own), false)
    const cookie = cookieOf(await signIn(own))
    assert.equal(await signedIn({ ...own, cookie }), true)
    const out = await send('DELETE', '/session', { ...own, cookie })
    assert.equal(out.status, 200)
    assert.match(out.headers['set-cookie']?.[0] ?? '', /Max-Age=0/)
    assert.equal(await signedIn({ ...own, cookie }), false)
    assert.equal((await send('GET', '/v1/conversations', { ...own, cookie })).status, 401)
  })

  it('keeps no token in its database', async () => {
    const token = cookieOf(await signIn(own)).split('=')[1] ?? ''
    const { results } = await edge.database.prepare('SELECT * FROM sessions').all()
    assert.ok(token.length === 43 && results.length > 0 && !JSON.stringify(results).includes(token))
  })
})

describe('/session elsewhere', () => {
  let edge: Edge
  const page = { host: 'tandem.example', origin: 'https://tandem.example', 'x-forwarded-proto': 'https' }
  before(async () => {
    edge = await startEdge()
  })
  after(() => edge.stop())
  const signIn = (key?: string, headers: Headers = page) =>
    edge.raw('/session', { method: 'POST', key: null, headers, ...(key === undefined ? {} : { body: { key } }) })

  it('asks for a key, by whatever name it is called', async () => {
    assert.equal((await signIn()).status, 401)
    assert.equal((await signIn(undefined, { host: `localhost:${edge.port}` })).status, 401)
    assert.equal((await signIn('wrong')).status, 401)
    assert.equal((await signIn(`tdm_${'A'.repeat(43)}`)).status, 401)
  })

  it('exchanges a key for a session of its owner, that ends with it', async () => {
    const { id, key } = await edge.newKey({ owner: 'ann', scopes: ['models'] })
    const answer = await signIn(key)
    assert.equal(JSON.parse(answer.body).owner, 'ann')
    assert.match(answer.headers['set-cookie']?.[0] ?? '', /^__Host-tandem_session=.*; Secure$/)
    assert.equal(answer.headers['strict-transport-security'], 'max-age=63072000; includeSubDomains')
    const cookie = cookieOf(answer)
    const get = (path: string) => edge.raw(path, { key: null, headers: { ...page, cookie } })
    await revokeKey(edge.database, id)
    assert.equal((await get('/v1/models')).status, 401)
  })

  it('gives a session no more than its key has', async () => {
    const { key } = await edge.newKey({ owner: 'ann', scopes: ['models'] })
    const cookie = cookieOf(await signIn(key))
    const get = (path: string) => edge.raw(path, { key: null, headers: { ...page, cookie } })
    assert.equal((await get('/v1/models')).status, 200)
    assert.equal((await get('/v1/conversations')).status, 403)
  })

  it('lets no other site sign a visitor in', async () => {
    const { key } = await edge.newKey()
    assert.equal((await signIn(key, { ...page, origin: 'https://evil.example' })).status, 403)
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'
import { randomFrom } from '../testing/random.ts'
import { addressOf, Failures } from './failures.ts'

const NOW = Date.UTC(2026, 10, 15, 12)
const MINUTE = 60_000

describe('failed sign-ins', () => {
  test('twenty at once, then one each three seconds, for each address', () => {
    const failures = new Failures()
    for (let i = 0; i < 20; i++) assert.equal(failures.count('a', NOW), 0)
    for (let i = 0; i < 3; i++) assert.equal(failures.count('a', NOW), 3000, 'one that waits is not counted')
    assert.equal(failures.count('b', NOW), 0)
    assert.equal(failures.count('a', NOW + 1000), 2000)
    assert.equal(failures.count('a', NOW + 3000), 0)
    assert.equal(failures.count('a', NOW + 3000), 3000)
    for (let i = 0; i < 20; i++) assert.equal(failures.count('a', NOW + 2 * MINUTE), 0)
  })

  test('never more than those, whenever they come; a clock that is set back locks nobody out', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = randomFrom(seed)
      const failures = new Failures()
      const counted: number[] = []
      let now = NOW
      for (let step = 0; step < 200; step++) {
        now += random() < 0.9 ? random() * 2000 : random() * MINUTE
        const wait = failures.count('a', now)
        if (wait === 0) counted.push(now)
        assert.ok(wait >= 0 && wait <= 3000.001, `seed ${seed}: ${wait}`)
        const lately = counted.filter((at) => at > now - MINUTE)
        assert.ok(lately.length <= 40, `seed ${seed}`)
        assert.ok(counted.length <= 20 + (now - NOW) / 3000 + 1e-6, `seed ${seed}`)
      }
      failures.count('a', now - 100 * MINUTE)
      assert.equal(failures.count('a', now - 99 * MINUTE), 0, `seed ${seed}`)
    }
  })

  test('remembers so many addresses', () => {
    const failures = new Failures(2)
    for (let i = 0; i < 20; i++) failures.count('a', NOW)
    failures.count('b', NOW)
    assert.ok(failures.count('a', NOW) > 0)
    failures.count('c', NOW)
    assert.ok(failures.count('a', NOW) > 0, 'b went first')
    failures.count('b', NOW)
    failures.count('c', NOW)
    assert.equal(failures.count('a', NOW), 0)
  })

  test('an address is believed on Cloudflare alone; of IPv6 its network', () => {
    const from = (address: string, cf?: object) => {
      const request = new Request('https://tandem.example/', { headers: { 'cf-connecting-ip': address } })
      return addressOf(cf ? Object.assign(request, { cf }) : request)
    }
    assert.equal(from('203.0.113.7'), '')
    assert.equal(from('203.0.113.7', {}), '203.0.113.7')
    for (const same of ['2001:db8:0:12::1', '2001:0DB8:0000:0012:ffff:1:2:3', '2001:db8::12:0:0:0:5']) {
      assert.equal(from(same, {}), '2001:db8:0:12', same)
    }
    assert.equal(from('::1', {}), '0:0:0:0')
    assert.equal(from('2001:db8::', {}), '2001:db8:0:0')
  })
})

describe('keys that are not good', () => {
  const GUESS = `tdm_${'A'.repeat(43)}`
  const guess = (edge: Edge, headers: Record<string, string> = {}) => edge.ask('/v1/models', { key: GUESS, headers })
  const signIn = (edge: Edge, key: string) => edge.ask('/session', { key: null, body: { key } })

  test('are told to wait after twenty, however they come; a good one is let in', async () => {
    const edge = await startEdge()
    try {
      const { key: another } = await edge.newKey()
      for (let i = 0; i < 10; i++) {
        assert.equal((await guess(edge, { 'cf-connecting-ip': `203.0.113.${i}` })).status, 401)
        assert.equal((await signIn(edge, i % 2 ? GUESS : 'no key at all')).status, 401)
      }
      for (const asked of [
        () => guess(edge),
        () => guess(edge, { 'cf-connecting-ip': '::1' }),
        () => signIn(edge, GUESS),
      ]) {
        const response = await asked()
        const { status, code, message } = await errorOf(response)
        assert.deepEqual([status, code], [429, 'rate_limit_exceeded'])
        assert.match(message, /\b20 a minute\b/)
        const wait = Number(response.headers.get('retry-after'))
        assert.ok(wait >= 1 && wait <= 3, String(wait))
      }
      assert.equal((await edge.ask('/v1/models')).status, 200)
      assert.equal((await edge.ask('/v1/models', { key: another })).status, 200)
      assert.equal((await signIn(edge, another)).status, 200)
      assert.equal((await edge.ask('/v1/models', { key: null })).status, 401, 'who shows none does not guess')
    } finally {
      await edge.stop()
    }
  })

  test('are only this machine’s own on loopback', async () => {
    const edge = await startEdge({ loopback: true })
    try {
      for (let i = 0; i < 25; i++) assert.equal((await guess(edge)).status, 401)
    } finally {
      await edge.stop()
    }
  })
})

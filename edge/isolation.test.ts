/** Many at once who come and go as they like: none hears another, and nothing is left behind. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Edge, startEdge } from './testing/edge.ts'
import { randomFrom } from './testing/random.ts'
import { begin, finish, type Script, START, send } from './testing/stub-runner.ts'

const TENANTS = 50
const REQUESTS = 600
const DISCONNECTS = 1000
const AT_ONCE = 50
const WORDS = 6

/** Says the last word of the prompt, again and again, with pauses. */
function echo(open: Set<unknown>): Script {
  return async (response, { request: { prompt, resume } }) => {
    open.add(response)
    response.once('close', () => open.delete(response))
    const text =
      prompt.type === 'chat' ? (prompt.messages.at(-1)?.content ?? '') : prompt.type === 'text' ? prompt.text : ''
    const canary = text.split(' ').at(-1) ?? ''
    begin(response, START)
    for (let i = resume?.events ?? 0; i < WORDS; i++) {
      await new Promise((resolve) => setTimeout(resolve, 4))
      if (response.destroyed) return
      send(response, { type: 'text-delta', text: `${canary} `, ids: [i] })
    }
    send(response, finish(WORDS))
    response.end()
  }
}

describe('tenants who leave at random', () => {
  let edge: Edge
  const open = new Set<unknown>()
  before(async () => {
    edge = await startEdge()
    edge.runner.script = echo(open)
  })
  after(() => edge.stop())

  /** Asks, reads until it leaves or has it all; what it read. */
  const ask = async (path: string, body: object, key: string, leaveAfterMs: number | null): Promise<string> => {
    const leaving = new AbortController()
    const leave = () => setTimeout(() => leaving.abort(), leaveAfterMs ?? 0)
    // Whoever streams leaves in the middle; who waits for the whole leaves at some time.
    const streams = 'stream' in body && body.stream === true
    let timer = leaveAfterMs === null || streams ? undefined : leave()
    let text = ''
    try {
      const response = await edge.ask(path, { body, key, signal: leaving.signal })
      if (response.status !== 200) assert.fail(`${response.status}: ${await response.text()}`)
      if (leaveAfterMs !== null) timer ??= leave()
      const decoder = new TextDecoder()
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true })
    } catch (error) {
      if (!leaving.signal.aborted) throw error
    } finally {
      clearTimeout(timer)
    }
    return text
  }
  const routes = (content: string, stream: boolean): readonly (readonly [string, object])[] => [
    ['/v1/chat/completions', { model: 'stub', messages: [{ role: 'user', content }], stream }],
    ['/v1/completions', { model: 'stub', prompt: content, stream }],
    ['/v1/responses', { model: 'stub', input: content, stream }],
    ['/v1/responses', { model: 'stub', input: content, stream, store: false }],
  ]
  const crowd = async (count: number, each: (i: number) => Promise<void>) => {
    let next = 0
    const worker = async () => {
      while (next < count) await each(next++)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  }

  test(`${TENANTS} tenants hear nothing of each other`, async () => {
    const random = randomFrom(1)
    const keys = await Promise.all(
      Array.from({ length: TENANTS }, async (_, i) => (await edge.newKey({ owner: `tenant-${i}` })).key),
    )
    const canary = (tenant: number) => `canary${String(tenant).padStart(3, '0')}`
    let heard = 0
    await crowd(REQUESTS, async (i) => {
      const tenant = Math.floor(random() * TENANTS)
      const choices = routes(`Please say ${canary(tenant)}`, random() < 0.7)
      const [path, body] = choices[i % choices.length] as (typeof choices)[number]
      const leave = random() < 0.6 ? random() * 40 : null
      const text = await ask(path, body, keys[tenant] ?? '', leave)
      for (const [found] of text.matchAll(/canary\d+/g)) {
        heard++
        assert.equal(found, canary(tenant), path)
      }
    })
    assert.ok(heard > REQUESTS)
  })

  test(`${DISCONNECTS} who leave take what they asked for with them`, async () => {
    const random = randomFrom(2)
    const calls = edge.runner.calls.length
    await crowd(DISCONNECTS, async (i) => {
      const choices = routes('Please say nothing', random() < 0.7)
      const [path, body] = choices[i % choices.length] as (typeof choices)[number]
      await ask(path, body, edge.key, random() * 25)
    })
    assert.ok(edge.runner.calls.length - calls > DISCONNECTS / 4, 'enough have come as far as the runner')
    // Stored ones go on, and end.
    const since = performance.now()
    while (open.size > 0) {
      assert.ok(performance.now() - since < 5_000, `${open.size} are left`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    assert.equal((await edge.ask('/v1/models')).status, 200)
  })
})

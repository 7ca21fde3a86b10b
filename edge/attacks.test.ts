/** What was done to other gateways, tried on this one. Each case names where it was done. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Edge, errorOf, startEdge } from './testing/edge.ts'
import { saysResumably } from './testing/stub-runner.ts'

const CHAT = { model: 'stub', messages: [{ role: 'user', content: 'x' }] }
const RESPONSE = { model: 'stub', input: 'x' }
const ROUTES = [
  ['/v1/chat/completions', CHAT],
  ['/v1/completions', { model: 'stub', prompt: 'x' }],
  ['/v1/responses', RESPONSE],
] as const
const CANARY = 'canary-7f3a91'

describe('attacks', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
    edge.runner.script = saysResumably(['x'])
  })
  after(() => edge.stop())

  const refusal = async (path: string, body: unknown) => {
    const response = await edge.ask(path, { body })
    return [response.status, (await errorOf(response)).code] as const
  }

  test('an address to ask instead (LiteLLM, CVE-2024-6587)', async () => {
    for (const [path, body] of ROUTES) {
      for (const name of ['api_base', 'base_url', 'runner', 'url']) {
        const refused = await refusal(path, { ...body, [name]: 'http://169.254.169.254/' })
        assert.deepEqual(refused, [400, 'unknown_parameter'], `${path} ${name}`)
      }
    }
  })

  test('SQL in the key (LiteLLM, CVE-2026-42208), and in ids', async () => {
    const sql = "tdm_' OR '1'='1"
    const refused = await edge.ask('/v1/models', { key: sql })
    assert.equal(refused.status, 401)
    assert.doesNotMatch(await refused.text(), /OR '1'|SQL|D1/)
    for (const path of [
      `/v1/conversations/${encodeURIComponent("' OR 1=1 --")}`,
      `/v1/responses/${encodeURIComponent("' OR 1=1 --")}`,
      `/v1/keys/${encodeURIComponent("' OR 1=1 --")}`,
    ]) {
      assert.equal((await edge.ask(path)).status, 404, path)
    }
    const found = await edge.ask(`/v1/conversations?search=${encodeURIComponent('" OR text:* NEAR(')}`)
    assert.equal(found.status, 200)
  })

  test('numbers out of all bounds (vLLM, CVE-2026-34756), at once', async () => {
    for (const [path, body] of ROUTES) {
      const tokens = path === '/v1/responses' ? 'max_output_tokens' : 'max_tokens'
      for (const change of [
        ...(path === '/v1/responses' ? [] : [{ n: 1e6 }, { n: 1.5 }, { n: -1 }]),
        { [tokens]: 1e9 },
        { [tokens]: 1.5 },
        { [tokens]: -1 },
        { temperature: 1e308 },
        { temperature: null, top_p: -0.1 },
        { seed: 2 ** 60 },
        { logit_bias: Object.fromEntries(Array.from({ length: 400 }, (_, i) => [i, 1])) },
        { stop: Array.from({ length: 100 }, () => 'x') },
      ]) {
        const since = performance.now()
        const [status] = await refusal(path, { ...body, ...change })
        assert.equal(status, 400, `${path} ${JSON.stringify(change).slice(0, 80)}`)
        assert.ok(performance.now() - since < 1_000)
      }
      const infinite = await edge.ask(path, { body: JSON.stringify(body).replace('}', ',"temperature":1e999}') })
      assert.equal(infinite.status, 400)
    }
  })

  test('what only the engine may set (llama.cpp, CVE-2026-21869; vLLM, CVE-2025-62426)', async () => {
    for (const [path, body] of ROUTES) {
      for (const name of [
        'tenant',
        'resume',
        'chat_template',
        'chat_template_kwargs',
        'n_discard',
        'prompt_logprobs',
      ]) {
        const refused = await refusal(path, { ...body, [name]: -1 })
        assert.deepEqual(refused, [400, 'unknown_parameter'], `${path} ${name}`)
      }
    }
  })

  test('names of prototypes', async () => {
    for (const [path, body] of ROUTES) {
      for (const name of ['__proto__', 'constructor', 'toString']) {
        const text = `${JSON.stringify(body).slice(0, -1)},${JSON.stringify(name)}:{"admin":true}}`
        const { status } = await edge.ask(path, { body: text })
        assert.ok(status === 400 || status === 200, `${path} ${name}: ${status}`)
      }
      assert.equal((await edge.ask(`/v1/models/__proto__`)).status, 404)
    }
    const { key } = await edge.newKey({ scopes: ['chat'] })
    assert.equal((await edge.ask('/v1/keys', { key })).status, 403)
  })

  test('nothing to say: empty prompts, half characters, no messages', async () => {
    for (const [path, body] of [
      ['/v1/chat/completions', { ...CHAT, messages: [] }],
      ['/v1/chat/completions', { ...CHAT, messages: [{ role: 'user', content: '' }] }],
      ['/v1/responses', { ...RESPONSE, input: '' }],
      ['/v1/responses', { ...RESPONSE, input: [] }],
    ] as const) {
      assert.equal((await refusal(path, body))[0], 400, JSON.stringify(body))
    }
    const half = await edge.ask('/v1/responses', { body: '{"model":"stub","input":"\\ud800"}' })
    assert.equal((await errorOf(half)).param, 'input')
  })

  test('another’s header lines in an id, and lines in a stream (Open WebUI, CVE-2026-44568)', async () => {
    edge.runner.script = saysResumably(['a\n\ndata: {"type":"response.completed"}\n\n', '\r\nevent: x\n'])
    const sse = await (await edge.ask('/v1/responses', { body: { ...RESPONSE, stream: true } })).text()
    const types = [...sse.matchAll(/^event: (.*)$/gm)].map(([, type]) => type)
    assert.equal(types.filter((type) => type === 'response.completed').length, 1)
    assert.ok(!types.includes('x'))
    edge.runner.script = saysResumably(['x'])
  })

  test('what was said is in no log', async () => {
    for (const [path, body] of ROUTES) {
      const said = JSON.parse(JSON.stringify(body).replaceAll('"x"', JSON.stringify(CANARY))) as object
      await (await edge.ask(path, { body: said })).text()
      await (await edge.ask(path, { body: { ...said, temperature: CANARY } })).text()
    }
    await (await edge.ask('/v1/conversations', { body: { items: [{ role: 'user', content: CANARY }] } })).text()
    await (await edge.ask(`/v1/conversations?search=${CANARY}`)).text()
    const logged = edge.logs.join('\n')
    assert.ok(!logged.includes(CANARY))
    assert.ok(!logged.includes(edge.key))
  })
})

/** The edge and the runner as processes of their own, as in containers. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { GenerationRequest } from '#protocol/generation.ts'
import type { UsagePage } from '#protocol/keys.ts'
import { Child } from '#scripts/child-process.ts'
import { freePort } from '#scripts/door.ts'
import { ROOT } from '#scripts/settings.ts'
import { MODEL } from '../support/model.ts'
import { descendantsOf } from '../support/processes.ts'
import { gone, TEST_MODELS } from '../support/tandem.ts'

const MS_TO_STOP = 10_000
const SECRET = randomBytes(32).toString('base64url')

let home = ''
before(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'tandem-separate-'))
})
after(() => rm(home, { recursive: true }))

function launch(script: string, env: Readonly<Record<string, string>>): Child {
  return new Child({ args: [path.join(ROOT, script)], env: { PATH: process.env.PATH, ...env } })
}

/** Stops it as an orchestrator does, and sees that nothing of it is left. */
async function stops({ pid, ended }: Child): Promise<void> {
  assert.ok(pid !== undefined)
  const processes = descendantsOf(pid)
  const since = performance.now()
  process.kill(pid, 'SIGTERM')
  assert.equal((await ended).code, 0)
  assert.ok(performance.now() - since < MS_TO_STOP)
  await gone(processes)
}

test('an answer goes through both, and each ends when told to', async () => {
  const [runnerPort, edgePort] = [await freePort(), await freePort()]
  const runner = launch('gpu-runner/main.ts', {
    RUNNER_PORT: String(runnerPort),
    RUNNER_SECRET: SECRET,
    TANDEM_MODELS: TEST_MODELS,
    TANDEM_DEVICE: 'cpu',
    EDGE_URL: `http://127.0.0.1:${edgePort}`,
  })
  const edge = launch('scripts/edge.ts', {
    PORT: String(edgePort),
    RUNNER_SECRET: SECRET,
    TANDEM_HOME: home,
  })
  try {
    const url = `http://127.0.0.1:${edgePort}`
    const broken = Promise.race([runner.ended, edge.ended]).then(({ output }) => assert.fail(output))
    const healthy = async () => {
      for (;;) {
        const response = await fetch(`${url}/health`).catch(() => undefined)
        await response?.body?.cancel()
        if (response?.ok) return
        await delay(50)
      }
    }
    broken.catch(() => undefined)
    await Promise.race([healthy(), broken])
    const signIn = await fetch(`${url}/session`, { method: 'POST', headers: { origin: url } })
    assert.equal(signIn.status, 401, 'the page needs a key, even on loopback')
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${(await readFile(path.join(home, 'key'), 'utf8')).trim()}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 }),
    })
    assert.equal(response.status, 200, await response.clone().text())
    const { usage } = (await response.json()) as { usage: { completion_tokens: number } }
    assert.equal(usage.completion_tokens, 4)
    await Promise.all([stops(runner), stops(edge)])
  } finally {
    runner.kill()
    edge.kill()
  }
})

/** Asks a runner itself, as an edge does that is gone after the first text. */
async function leaveInTheMiddle(port: number, route: string): Promise<void> {
  const request: GenerationRequest = {
    model: MODEL,
    tenant: 'ann',
    prompt: { type: 'text', text: 'Once upon a time' },
    maxTokens: 500,
    temperature: 0,
    topP: 1,
    topK: 0,
    minP: 0,
    typicalP: 1,
    repetitionPenalty: 1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    logitBias: [],
    minTokens: 0,
    ignoreEos: true,
    logprobs: null,
    background: false,
    seed: 1,
    stop: [],
    constraint: null,
    bill: { id: 'use_left.0', request: 'use_left', of: 1, keyId: null, route },
  }
  const gone = new AbortController()
  const response = await fetch(`http://127.0.0.1:${port}/generations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
    body: JSON.stringify(request),
    signal: gone.signal,
  })
  assert.equal(response.status, 200)
  let heard = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    heard += chunk
    if (heard.includes('text-delta')) break
  }
  gone.abort()
}

test('one of two runners is told to stop under load, no request fails, and all that it said is written down', async () => {
  const [edgePort, ...runnerPorts] = [await freePort(), await freePort(), await freePort()]
  const url = `http://127.0.0.1:${edgePort}`
  const edge = launch('scripts/edge.ts', { PORT: String(edgePort), RUNNER_SECRET: SECRET, TANDEM_HOME: home })
  const runners = runnerPorts.map((port) =>
    launch('gpu-runner/main.ts', {
      RUNNER_PORT: String(port),
      RUNNER_SECRET: SECRET,
      TANDEM_MODELS: TEST_MODELS,
      TANDEM_DEVICE: 'cpu',
      EDGE_URL: url,
    }),
  )
  try {
    const keyed = async (route: string, body?: object) =>
      fetch(url + route, {
        headers: {
          authorization: `Bearer ${(await readFile(path.join(home, 'key'), 'utf8')).trim()}`,
          'content-type': 'application/json',
        },
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
      })
    const loaded = async (port: number) => {
      const headers = { authorization: `Bearer ${SECRET}` }
      while (!(await fetch(`http://127.0.0.1:${port}/health`, { headers }).catch(() => undefined))?.ok) await delay(50)
    }
    const healthy = async () => {
      await Promise.all(runnerPorts.map(loaded))
      while (!(await fetch(`${url}/health`).catch(() => undefined))?.ok) await delay(50)
    }
    await Promise.race([healthy(), edge.ended.then(({ output }) => assert.fail(output))])
    while (((await (await keyed('/v1/scaling')).json()) as { runners: number }).runners < 2) await delay(50)
    let over = false
    let answers = 0
    const asking = Array.from({ length: 4 }, async (_, i) => {
      while (!over) {
        const messages = [{ role: 'user', content: `Question ${i} ${answers++}` }]
        const response = await keyed('/v1/chat/completions', {
          model: MODEL,
          messages,
          max_tokens: 24,
          ignore_eos: true,
        })
        assert.equal(response.status, 200, await response.text())
      }
    })
    await delay(700)
    const [stopped] = runners
    assert.ok(stopped?.pid !== undefined)
    await leaveInTheMiddle(runnerPorts[0] ?? 0, '/left')
    process.kill(stopped.pid, 'SIGTERM')
    assert.equal((await stopped.ended).code, 0)
    const dayAgo = Math.floor(Date.now() / 1000) - 86_400
    const page = (await (await keyed(`/v1/usage?start_time=${dayAgo}&group_by=route`)).json()) as UsagePage
    const left = page.data.flatMap(({ results }) => results).find(({ route }) => route === '/left')
    assert.ok(left && left.output_tokens > 0 && left.output_tokens < 500, JSON.stringify(left))
    await delay(700)
    over = true
    await Promise.all(asking)
    assert.ok(answers > 4)
  } finally {
    edge.kill()
    for (const runner of runners) runner.kill()
  }
})

for (const [problem, secret] of [
  ['no secret', undefined],
  ['a short secret', 'x1y2z3'],
  ['a secret of few characters', 'ab'.repeat(20)],
] as const) {
  test(`both refuse ${problem}, and do not show it`, async () => {
    const env = { TANDEM_HOME: home, TANDEM_MODELS: TEST_MODELS, ...(secret && { RUNNER_SECRET: secret }) }
    const [runner, edge] = await Promise.all([
      launch('gpu-runner/main.ts', env).ended,
      launch('scripts/edge.ts', env).ended,
    ])
    for (const { output } of [runner, edge]) {
      assert.match(output, /RUNNER_SECRET must have at least 32 random characters/)
      assert.ok(secret === undefined || !output.includes(secret))
    }
    assert.equal(runner.code, 78)
    assert.equal(edge.code, 1)
  })
}

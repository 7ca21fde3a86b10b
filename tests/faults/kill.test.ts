/**
 * kill -9 at random moments of the runner, of workerd and of what holds it: what was acknowledged is there afterwards,
 * whole and as it would have been; and what was said is written down once. `npm run test:faults` for 200 of them, with
 * `SEED=7` others.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { randomFrom } from '#edge/testing/random.ts'
import type { UsagePage } from '#protocol/keys.ts'
import type { Response as ApiResponse } from '#protocol/responses.ts'
import { MODEL } from '../support/model.ts'
import { startTandem, type TestTandem } from '../support/tandem.ts'

const FAULTS = Number(process.env.FAULTS ?? 4)
const SEED = Number(process.env.SEED ?? 1)
const VICTIMS = ['gpu-runner/main.ts', '/workerd serve', 'scripts/edge-host.ts']
/** Responses in flight at each fault; each of them is one of so many, whose text is known. */
const RESPONSES = 3
const TEXTS = 4
const MOST_TOKENS = 40
const CHAT_TOKENS = 60
const READY_MS = 10_000

const asked = (which: number, more: object = {}) => ({
  json: {
    model: MODEL,
    input: `Story number ${which}.`,
    seed: which,
    max_output_tokens: MOST_TOKENS,
    ignore_eos: true,
    ...more,
  },
})
const textOf = ({ output }: ApiResponse) =>
  output.flatMap((item) => (item.type === 'message' ? item.content.map(({ text }) => text) : [])).join('')

async function answered(tandem: TestTandem, id: string): Promise<ApiResponse> {
  for (;;) {
    const response = await tandem.fetch(`/v1/responses/${id}`).catch(() => undefined)
    if (response?.ok) {
      const answer = (await response.json()) as ApiResponse
      if (answer.status !== 'queued' && answer.status !== 'in_progress') return answer
    } else {
      // Away, or being started again; but never gone.
      assert.notEqual(response?.status, 404, `${id} was acknowledged`)
      await response?.body?.cancel()
    }
    await delay(50)
  }
}

/** The text deltas of a stream, as far as it goes, and the number of its last event. */
async function read(response: Response): Promise<{ id: string; text: string; deltas: number; last: number }> {
  let sse = ''
  try {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) sse += decoder.decode(chunk, { stream: true })
  } catch {
    // The line broke.
  }
  const events = [...sse.matchAll(/^data: (.*)\n\n/gm)].map(
    ([, data]) => JSON.parse(data ?? '') as { sequence_number: number; delta?: string; response?: { id: string } },
  )
  const deltas = events.flatMap(({ delta }) => delta ?? [])
  return {
    id: events[0]?.response?.id ?? '',
    text: deltas.join(''),
    deltas: deltas.length,
    last: events.at(-1)?.sequence_number ?? -1,
  }
}

/** A chat completion that has begun, with a key of its own; and the texts that arrive of it, to the end or the fault. */
async function beginChat(tandem: TestTandem): Promise<{ key: string; deltas: Promise<number> }> {
  const made = await tandem.fetch('/v1/keys', { json: { name: 'chat', scopes: ['chat'] } })
  const { id, key } = (await made.json()) as { id: string; key: string }
  const response = await tandem.fetch('/v1/chat/completions', {
    headers: { authorization: `Bearer ${key}` },
    json: {
      model: MODEL,
      messages: [{ role: 'user', content: 'Tell a story.' }],
      max_tokens: CHAT_TOKENS,
      ignore_eos: true,
      stream: true,
    },
  })
  const begun = Promise.withResolvers<void>()
  const deltas = countDeltas(response, begun.resolve)
  await begun.promise
  return { key: id, deltas }
}

async function countDeltas(response: Response, begun: () => void): Promise<number> {
  let sse = ''
  const count = () => sse.match(/^data: .*"content":"[^"]/gm)?.length ?? 0
  try {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      sse += decoder.decode(chunk, { stream: true })
      if (count() > 0) begun()
    }
  } catch {
    // The line broke.
  }
  begun()
  return count()
}

async function usageOf(tandem: TestTandem) {
  const start = Math.floor(Date.now() / 1000) - 86_400
  const page = (await (await tandem.fetch(`/v1/usage?start_time=${start}&group_by=key,route`)).json()) as UsagePage
  return page.data.flatMap(({ results }) => results)
}

test(`${FAULTS} kills at random moments`, async (t) => {
  await using tandem = await startTandem()
  const random = randomFrom(SEED)
  const texts: string[] = []
  /** What has to be in the ledger. Of an answer that broke off only what was heard of it is known. */
  let tokens = 0
  let requests = 0
  let perhapsMore = 0
  const count = ({ usage }: ApiResponse, heard = 0) => {
    requests++
    tokens += usage?.output_tokens ?? heard
    if (usage === null) perhapsMore += MOST_TOKENS - heard
  }
  for (let which = 0; which < TEXTS; which++) {
    const response = (await (await tandem.fetch('/v1/responses', asked(which))).json()) as ApiResponse
    texts.push(textOf(response))
    count(response)
  }
  let slowest = 0
  for (let fault = 0; fault < FAULTS; fault++) {
    const victim = VICTIMS[Math.floor(random() * VICTIMS.length)] ?? ''
    const picks = Array.from({ length: RESPONSES }, () => Math.floor(random() * TEXTS))
    const streamed = Math.floor(random() * TEXTS)
    // Nothing may have come of it before the fault: the same key asks for the same response again.
    const asking = { ...asked(streamed, { stream: true }), headers: { 'idempotency-key': `fault-${fault}` } }
    const reading = tandem.fetch('/v1/responses', asking).then(read, () => undefined)
    const ids = await Promise.all(
      picks.map(async (which) => {
        const response = await tandem.fetch('/v1/responses', asked(which, { background: true }))
        assert.equal(response.status, 200)
        return ((await response.json()) as ApiResponse).id
      }),
    )
    const chat = await beginChat(tandem)
    await delay(random() * 700)
    process.kill(tandem.find(victim).pid, 'SIGKILL')
    const since = performance.now()
    await tandem.healthy()
    slowest = Math.max(slowest, performance.now() - since)
    for (const [i, id] of ids.entries()) {
      const answer = await answered(tandem, id)
      assert.equal(answer.error, null, `fault ${fault} of ${victim}`)
      assert.equal(textOf(answer), texts[picks[i] ?? 0], `fault ${fault} of ${victim}`)
      count(answer)
    }
    const begun = (await reading) ?? (await read(await tandem.fetch('/v1/responses', asking)))
    assert.match(begun.id, /^resp_/)
    const answer = await answered(tandem, begun.id)
    const rest = await read(await tandem.fetch(`/v1/responses/${begun.id}?stream=true&starting_after=${begun.last}`))
    if (answer.error === null) assert.equal(begun.text + rest.text, texts[streamed], `fault ${fault} of ${victim}`)
    else assert.ok(texts[streamed]?.startsWith(begun.text + rest.text), `fault ${fault}: ${answer.error.message}`)
    const heard = begun.deltas + rest.deltas
    // One that nothing was said of is not in the ledger.
    if (answer.error === null || heard > 0) count(answer, heard)
    const said = await chat.deltas
    assert.ok(said > 0, `fault ${fault} of ${victim}`)
    // The edge writes it down; if it was the victim, the runner tells once it is back.
    for (;;) {
      const [row] = (await usageOf(tandem)).filter(({ api_key_id }) => api_key_id === chat.key)
      if (row) {
        const { num_model_requests, output_tokens } = row
        assert.equal(num_model_requests, 1, `fault ${fault} of ${victim}`)
        assert.ok(output_tokens >= said && output_tokens <= CHAT_TOKENS, `${output_tokens} tokens, ${said} texts`)
        break
      }
      await delay(50)
    }
  }
  t.diagnostic(`ready again within ${Math.round(slowest)} ms`)
  assert.ok(slowest < READY_MS, `ready again after ${Math.round(slowest)} ms`)
  const results = (await usageOf(tandem)).filter(({ route }) => route === '/v1/responses')
  const sum = (pick: (result: (typeof results)[number]) => number) => results.reduce((all, one) => all + pick(one), 0)
  assert.equal(
    sum(({ num_model_requests }) => num_model_requests),
    requests,
    'each is written down once',
  )
  const written = sum(({ output_tokens }) => output_tokens)
  assert.ok(
    written >= tokens && written <= tokens + perhapsMore,
    `${written} tokens, of ${tokens} to ${tokens + perhapsMore}`,
  )
})

/**
 * What the edge adds to a stream: the same greedy answer asked of the runner itself and through the Worker in workerd,
 * in turns. The edge's figures include its key check in D1 and the socket in front of it.
 */
import { RUNNER_SECRET } from '#edge/testing/stub-runner.ts'
import type { Served } from './served.ts'

const PAIRS = 30
const TOKENS = 64
const MESSAGES = [{ role: 'user', content: 'Tell me a long story about a lighthouse keeper and a whale.' }]

export interface EdgeOverhead {
  /** Medians in milliseconds: asked of the runner, asked of the edge, and of the differences pair by pair. */
  readonly firstToken: Overhead
  readonly nextToken: Overhead
}
interface Overhead {
  readonly runner: number
  readonly edge: number
  readonly added: number
}
interface Timed {
  readonly first: number
  readonly next: number
}

export async function measureEdgeOverhead({ edge, runnerUrl }: Served, model: string): Promise<EdgeOverhead> {
  const direct = () =>
    time(`${runnerUrl}/generations`, RUNNER_SECRET, {
      ...{ model, prompt: { type: 'chat', messages: MESSAGES }, temperature: 0 },
      ...{ tenant: 'bench', maxTokens: TOKENS, topP: 1, topK: 0, minP: 0, typicalP: 1, seed: 1, stop: [] },
      ...{ repetitionPenalty: 1, presencePenalty: 0, frequencyPenalty: 0, logitBias: [], minTokens: 0 },
      ...{ ignoreEos: false, logprobs: null, background: false, constraint: null },
    })
  const through = () =>
    time(`${edge.url}/v1/chat/completions`, edge.key, {
      model,
      messages: MESSAGES,
      temperature: 0,
      max_tokens: TOKENS,
      stream: true,
    })
  await direct()
  await through()
  const pairs: [Timed, Timed][] = []
  while (pairs.length < PAIRS) pairs.push([await direct(), await through()])
  const overhead = (pick: (timed: Timed) => number): Overhead => ({
    runner: median(pairs.map(([ours]) => pick(ours))),
    edge: median(pairs.map(([, theirs]) => pick(theirs))),
    added: median(pairs.map(([ours, theirs]) => pick(theirs) - pick(ours))),
  })
  return { firstToken: overhead(({ first }) => first), nextToken: overhead(({ next }) => next) }
}

/** Milliseconds to the first text of an answer, and from one text to the next. */
async function time(url: string, key: string, body: unknown): Promise<Timed> {
  const started = performance.now()
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok || !response.body) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  let first = 0
  let last = 0
  let texts = 0
  const decoder = new TextDecoder()
  for await (const chunk of response.body) {
    const found = decoder.decode(chunk, { stream: true }).match(/"text-delta"|"content":"[^"]/g)?.length ?? 0
    if (found === 0) continue
    last = performance.now()
    if (texts === 0) first = last
    texts += found
  }
  return { first: first - started, next: (last - first) / (texts - 1) }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}

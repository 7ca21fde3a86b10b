/** What some ways of asking cost, through the whole path: a follow-up beside a first turn, a schema beside free text. */
import type { Served } from './served.ts'

const ROUNDS = 5
/** Characters of prose that make about 1,500 tokens. */
const LONG = 6_400
const TOKENS = 96
const SCHEMA = {
  type: 'object',
  properties: { title: { type: 'string', maxLength: 80 }, text: { type: 'string' } },
  required: ['title', 'text'],
  additionalProperties: false,
}

interface Message {
  readonly role: string
  readonly content: string
}
interface Completion {
  readonly choices: readonly { message: { content: string } }[]
  readonly usage: { prompt_tokens: number; completion_tokens: number }
  readonly timings: { first_token_ms: number; generation_per_second: number }
}

export interface AnswerCosts {
  /** Medians: of the prompt's tokens, and of milliseconds to the first token. */
  readonly followUp: { readonly tokens: number; readonly firstMs: number; readonly followUpMs: number }
  /** Medians of tokens a second. */
  readonly schema: { readonly free: number; readonly held: number }
}

export async function measureAnswers({ edge }: Served, model: string, prose: string): Promise<AnswerCosts> {
  const ask = async (messages: readonly Message[], more: object): Promise<Completion> => {
    const response = await fetch(`${edge.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${edge.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages, temperature: 0, ...more }),
    })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return (await response.json()) as Completion
  }
  const turns = []
  const speeds = []
  for (let round = 0; round < ROUNDS; round++) {
    const question = { role: 'user', content: `${prose.slice(round * 300, round * 300 + LONG)}\nWho speaks?` }
    const first = await ask([question], { max_tokens: 16 })
    const answer = { role: 'assistant', content: first.choices[0]?.message.content ?? '' }
    const second = await ask([question, answer, { role: 'user', content: 'And where?' }], { max_tokens: 4 })
    turns.push([first, second] as const)
    const told = [{ role: 'user', content: 'Write a long story about a whale, as JSON.' }]
    const bound = { max_tokens: TOKENS, ignore_eos: true }
    const schema = { type: 'json_schema', json_schema: { name: 'story', schema: SCHEMA, strict: true } }
    speeds.push([await ask(told, bound), await ask(told, { ...bound, response_format: schema })] as const)
  }
  return {
    followUp: {
      tokens: median(turns.map(([first]) => first.usage.prompt_tokens)),
      firstMs: median(turns.map(([first]) => first.timings.first_token_ms)),
      followUpMs: median(turns.map(([, second]) => second.timings.first_token_ms)),
    },
    schema: {
      free: median(speeds.map(([free]) => free.timings.generation_per_second)),
      held: median(speeds.map(([, held]) => held.timings.generation_per_second)),
    },
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}

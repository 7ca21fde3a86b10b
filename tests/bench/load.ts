/**
 * `npm run bench:load [SECONDS]`: 32 streams for so long (300), each leaving in the middle now and then, and then five
 * times as many requests as can be answered. Through the whole path, on the default model.
 */
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { RUNNER_SECRET } from '#edge/testing/stub-runner.ts'
import { ensureModel } from '#gpu-runner/store/store.ts'
import { defaultModel } from '#models/catalogue/catalogue.ts'
import { serve } from './served.ts'

const STREAMS = 32
const TOKENS = 48
const LEAVE = 0.1
const PEAK_SECONDS = 20
const OVERLOAD = 5
const OVERLOAD_SECONDS = 30
const entry = defaultModel('chat')
const root = process.env.TANDEM_MODELS ?? fileURLToPath(new URL('../../.tandem/models', import.meta.url))
await ensureModel(entry, { root })
const served = await serve(root)
const { edge } = served

interface Answered {
  readonly status: number
  readonly text: string
  /** Ended as it should: by [DONE], or by us. */
  readonly whole: boolean
  readonly tokens: number
  readonly ms: number
  /** What came with any status but 200. */
  readonly error: string
}

/** @param leaveAfter text chunks after which the line is cut */
function ask(
  seed: number,
  { stream, leaveAfter }: { stream: boolean; leaveAfter?: number | undefined },
): Promise<Answered> {
  const started = performance.now()
  const body = JSON.stringify({
    model: entry.id,
    messages: [{ role: 'user', content: `Tell me about the number ${seed % 40}.` }],
    seed: seed % 40,
    max_tokens: TOKENS,
    ignore_eos: true,
    stream,
  })
  const headers = { authorization: `Bearer ${edge.key}`, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const call = request(`${edge.url}/v1/chat/completions`, { method: 'POST', headers }, (response) => {
      let received = ''
      const end = (left: boolean) => {
        const chunks = received.split('\n\n').filter((line) => line.startsWith('data: {'))
        const texts = stream ? chunks.map((line) => contentOf(line.slice(6))) : []
        const tokens = stream ? texts.filter((text) => text !== '').length : completionTokens(received)
        resolve({
          status: response.statusCode ?? 0,
          text: texts.join(''),
          whole: left || !stream || received.endsWith('data: [DONE]\n\n'),
          tokens,
          ms: performance.now() - started,
          error: response.statusCode === 200 ? '' : received.slice(0, 200),
        })
      }
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        received += piece
        if (leaveAfter === undefined || received.split('"content":').length <= leaveAfter) return
        call.destroy()
        end(true)
      })
      response.on('end', () => end(false))
      response.on('error', () => {})
    })
    call.on('error', (error) => (leaveAfter === undefined ? reject(error) : undefined))
    call.end(body)
  })
}

function contentOf(json: string): string {
  const { choices } = JSON.parse(json) as { choices?: { delta: { content?: string } }[] }
  return choices?.[0]?.delta.content ?? ''
}
function completionTokens(json: string): number {
  return (JSON.parse(json) as { usage?: { completion_tokens: number } }).usage?.completion_tokens ?? 0
}

const residentMiB = () => {
  const status = readFileSync(`/proc/${served.runnerPid}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024)
}

/** So many at a time, for so long; tokens a second. */
async function keepAsking(count: number, seconds: number, each: (seed: number) => Promise<number>): Promise<number> {
  const started = performance.now()
  let seed = 0
  let tokens = 0
  const worker = async () => {
    while (performance.now() - started < seconds * 1000) {
      const more = await each(seed++)
      tokens += more
    }
  }
  await Promise.all(Array.from({ length: count }, worker))
  return tokens / ((performance.now() - started) / 1000)
}

const expected = new Map<number, string>()
let answers = 0
let left = 0
const faults: string[] = []
const memory: number[] = []
const sampling = setInterval(() => memory.push(residentMiB()), 5000)
const seconds = Number(process.argv[2] ?? 300)
const soakRate = await keepAsking(STREAMS, seconds, async (seed) => {
  const leaveAfter = Math.random() < LEAVE ? 3 + Math.floor(Math.random() * 20) : undefined
  const answer = await ask(seed, { stream: true, leaveAfter })
  if (leaveAfter !== undefined) {
    left++
    return 0
  }
  answers++
  const known = expected.get(seed % 40)
  expected.set(seed % 40, known ?? answer.text)
  if (answer.status !== 200 || !answer.whole) faults.push(`stream ${seed} broke off: ${answer.status}`)
  else if (known !== undefined && known !== answer.text) faults.push(`stream ${seed} said something else than before`)
  return TOKENS
})
clearInterval(sampling)
const metrics = await fetch(`${served.runnerUrl}/metrics`, { headers: { authorization: `Bearer ${RUNNER_SECRET}` } })
const running = /vllm:num_requests_running\{[^}]*\} (\d+)/.exec(await metrics.text())?.[1]
console.log(
  `${STREAMS} streams for ${seconds} s: ${answers} answers (${soakRate.toFixed(0)} tokens/s), ${left} left midway`,
)
console.log(`  broken, lost or other than before: ${faults.length} ${faults.slice(0, 5).join('; ')}`)
console.log(
  `  still running afterwards: ${running}; runner's memory, MiB: ${memory.filter((_, i) => i % 6 === 0).join(' ')}`,
)

const peak = await keepAsking(STREAMS, PEAK_SECONDS, async (seed) => (await ask(seed, { stream: false })).tokens)
const rate = (OVERLOAD * peak) / TOKENS
const started = performance.now()
const asked: Promise<Answered & { at: number }>[] = []
while (performance.now() - started < OVERLOAD_SECONDS * 1000) {
  while (asked.length < ((performance.now() - started) / 1000) * rate) {
    asked.push(ask(asked.length, { stream: false }).then((answer) => ({ ...answer, at: performance.now() - started })))
  }
  await new Promise((resolve) => setTimeout(resolve, 5))
}
const all = await Promise.all(asked)
const good = all.filter(({ status }) => status === 200)
const refused = all.filter(({ status }) => status === 429).sort((a, b) => a.ms - b.ms)
const last = Math.max(...good.map(({ at }) => at)) / 1000
const goodput = good.reduce((sum, { tokens }) => sum + tokens, 0) / last
const quantile = (share: number) => (refused[Math.floor(refused.length * share)]?.ms ?? 0).toFixed(0)
console.log(
  `peak ${peak.toFixed(0)} tokens/s; at ${OVERLOAD} times that ${goodput.toFixed(0)}, ${((goodput / peak) * 100).toFixed(0)} %`,
)
console.log(
  `  ${all.length} asked, ${good.length} answered, ${refused.length} refused after ${quantile(0.5)} ms (median), ` +
    `${quantile(0.99)} ms (99 %), ${quantile(0.9999)} ms at most; otherwise ended: ${all.length - good.length - refused.length}`,
)
const other = Map.groupBy(
  all.filter(({ status }) => status !== 200 && status !== 429),
  ({ status }) => status,
)
for (const [status, answers] of other) console.log(`  status ${status}: ${answers.length}, ${answers[0]?.error}`)
await served.stop()

/**
 * `npm run bench:streams [SECONDS] [chat | responses]`: 200 streams of 20 tokens a second through the edge for so long (600),
 * from a runner that only speaks; one way or both. No event may be lost, said twice or out of order; what the edge adds to the first token, against the same
 * runner asked directly.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { startEdge } from '#edge/testing/edge.ts'
import { begin, finish, RUNNER_SECRET, START, send, startStubRunner } from '#edge/testing/stub-runner.ts'

const STREAMS = 200
const TOKENS = 200
const MS_BETWEEN = 50
const FIRST_MS = 50

/** The runner has a process of its own, so that its timers keep time. */
async function speak(): Promise<void> {
  const runner = await startStubRunner()
  runner.script = (response) => {
    begin(response, START)
    let said = 0
    let timer: ReturnType<typeof setInterval> | undefined
    const next = () => {
      if (said < TOKENS) send(response, { type: 'text-delta', text: `w${said} `, ids: [said] })
      else {
        clearInterval(timer)
        send(response, finish(TOKENS))
        response.end()
      }
      said++
    }
    setTimeout(() => {
      next()
      timer = setInterval(next, MS_BETWEEN)
    }, FIRST_MS)
    response.once('close', () => clearInterval(timer))
  }
  process.send?.(runner.url)
}

interface Heard {
  readonly firstMs: number
  readonly words: readonly string[]
  /** The last two events, to tell why one is not whole. */
  readonly last: string
}

function listen(url: string, key: string, body: object): Promise<Heard> {
  const started = performance.now()
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', headers }, (response) => {
      let text = ''
      let firstMs = 0
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        text += piece
        if (firstMs === 0 && text.includes('w0 ')) firstMs = performance.now() - started
      })
      response.on('end', () => {
        const words = [...text.matchAll(/"(?:content|delta|text)":"w(\d+) "/g)].map(([, n]) => n ?? '')
        resolve({ firstMs, words, last: text.trimEnd().split('\n\n').slice(-2).join('\n\n').slice(0, 1000) })
      })
      response.on('error', reject)
    })
    call.on('error', reject)
    call.end(JSON.stringify(body))
  })
}

async function crowd(seconds: number, ask: () => Promise<Heard>): Promise<Heard[]> {
  const all: Heard[] = []
  const until = performance.now() + seconds * 1000
  await Promise.all(
    Array.from({ length: STREAMS }, async (_, i) => {
      // Not all in the same moment: as people come.
      await new Promise((resolve) => setTimeout(resolve, (i / STREAMS) * TOKENS * MS_BETWEEN))
      do all.push(await ask())
      while (performance.now() < until)
    }),
  )
  return all
}

function report(name: string, heard: readonly Heard[]): (share: number) => number {
  const whole = Array.from({ length: TOKENS }, (_, i) => String(i)).join()
  const faults = heard.filter(({ words }) => words.join() !== whole)
  const firsts = heard.map(({ firstMs }) => firstMs - FIRST_MS).sort((a, b) => a - b)
  const at = (share: number) => firsts[Math.min(firsts.length - 1, Math.floor(share * firsts.length))] ?? 0
  const [median, most] = [at(0.5).toFixed(1), at(0.99).toFixed(1)]
  console.log(
    `${name}: ${heard.length} streams, ${faults.length} not whole; first token after ${median} ms (median), ${most} ms (99 %)`,
  )
  const [fault] = faults
  if (fault) console.log(`  the first that is not whole has ${fault.words.length} words and ends: ${fault.last}`)
  return at
}

async function main(): Promise<void> {
  const seconds = Number(process.argv[2] ?? 600)
  const runner = fork(fileURLToPath(import.meta.url), ['speak'])
  const [runnerUrl] = (await once(runner, 'message')) as [string]
  const edge = await startEdge({ runnerUrl })
  console.log(`${STREAMS} streams of ${1000 / MS_BETWEEN} tokens a second for ${seconds} s`)
  try {
    const generation = { model: 'stub', tenant: 't', prompt: { type: 'text', text: 'x' } }
    const direct = report(
      'runner asked directly',
      await crowd(Math.min(seconds, 20), () => listen(`${runnerUrl}/generations`, RUNNER_SECRET, generation)),
    )
    for (const [way, name, path, body] of [
      ['chat', '/v1/chat/completions', '/v1/chat/completions', { messages: [{ role: 'user', content: 'x' }] }],
      ['responses', '/v1/responses, stored', '/v1/responses', { input: 'x' }],
    ] as const) {
      if ((process.argv[3] ?? way) !== way) continue
      const ask = () => listen(edge.url + path, edge.key, { model: 'stub', stream: true, ...body })
      const at = report(name, await crowd(seconds, ask))
      console.log(
        `  the edge adds ${(at(0.5) - direct(0.5)).toFixed(1)} ms (median), ${(at(0.99) - direct(0.99)).toFixed(1)} ms (99 %)`,
      )
    }
  } finally {
    await edge.stop()
    runner.kill()
  }
}

await (process.argv[2] === 'speak' ? speak() : main())

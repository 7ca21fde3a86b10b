/**
 * Models at the edge: `node tests/bench/inference.ts`. Straight to workerd's port, on a Worker that is started for it:
 * the first answer, answers one after the other, and a dense scorer asked by many connections at once.
 */
import { connect } from 'node:net'
import { startEdge } from '#edge/testing/edge.ts'
import { COLUMNS, DECODER, detector, ENCODER, publish, ROW_SCORER, ROWS } from '../inference/models.ts'

const CONNECTIONS = 32
const SECONDS = 5
const WARM_UP_SECONDS = 2

await using edge = await started()
const body = (value: object) => JSON.stringify(value)
const first = await timed(() => ask('/v1/latents/decode', body({ model: 'vae', latents: [[0, 1, 2]] })))
console.log(`first decode, cold      ${first.toFixed(0).padStart(8)} ms`)
const row = COLUMNS.map((_, i) => i / 10)
for (const [name, path, text] of [
  ['dense scorer, 1 row', '/v1/anomalies', body({ model: 'sensors', rows: [row] })],
  ['dense scorer, 64 rows', '/v1/anomalies', body({ model: 'sensors', rows: Array.from({ length: 64 }, () => row) })],
  ['dense decoder', '/v1/latents/decode', body({ model: 'vae', latents: [[0, 1, 2]] })],
] as const) {
  await load(path, text, WARM_UP_SECONDS)
  const perSecond = await load(path, text, SECONDS)
  console.log(`${name.padEnd(24)}${perSecond.toFixed(0).padStart(8)} requests/s, ${CONNECTIONS} connections`)
}

async function started() {
  const edge = await startEdge()
  await publish(edge, 'vae', { files: [ENCODER, DECODER] })
  await publish(edge, 'sensors', { parts: detector(ROWS, ROW_SCORER), files: [ROW_SCORER] })
  return Object.assign(edge, { [Symbol.asyncDispose]: () => edge.stop() })
}

async function timed(body: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await body()
  return performance.now() - start
}

function requestText(path: string, text: string | null): string {
  const lines = [`${text === null ? 'GET' : 'POST'} ${path} HTTP/1.1`, 'host: x', `authorization: Bearer ${edge.key}`]
  if (text !== null) lines.push('content-type: application/json', `content-length: ${Buffer.byteLength(text)}`)
  return `${lines.join('\r\n')}\r\n\r\n${text ?? ''}`
}

async function ask(path: string, text: string): Promise<void> {
  const response = await edge.ask(path, { body: text })
  if (!response.ok) throw new Error(await response.text())
  await response.arrayBuffer()
}

/** Requests a second: each connection asks again as soon as it has been answered. */
async function load(path: string, text: string | null, seconds: number): Promise<number> {
  const request = requestText(path, text)
  const until = performance.now() + seconds * 1000
  const counts = await Promise.all(Array.from({ length: CONNECTIONS }, () => one(request, until, text !== null)))
  return counts.reduce((sum, count) => sum + count, 0) / seconds
}

function one(request: string, until: number, mustBeOk: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    let answered = 0
    let pending = ''
    const socket = connect(edge.direct.port, edge.direct.host, () => socket.write(request))
    socket.setNoDelay()
    socket.setEncoding('latin1')
    socket.once('error', reject)
    socket.on('data', (data: string) => {
      pending += data
      const end = pending.indexOf('\r\n\r\n')
      if (end < 0) return
      const chunked = /transfer-encoding: chunked/i.test(pending)
      const length = Number(/content-length: (\d+)/i.exec(pending)?.[1] ?? 0)
      if (chunked ? !pending.endsWith('\r\n0\r\n\r\n') : pending.length < end + 4 + length) return
      if (mustBeOk && !pending.startsWith('HTTP/1.1 200')) {
        socket.destroy()
        reject(new Error(pending))
        return
      }
      pending = ''
      answered += 1
      if (performance.now() < until) socket.write(request)
      else {
        socket.end()
        resolve(answered)
      }
    })
  })
}

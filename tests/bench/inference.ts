/**
 * Models at the edge: `node tests/bench/inference.ts`. Straight to workerd's port, on a Worker that is started for it:
 * the first decode, decodes one after the other with the CPU time that they take, a dense scorer asked by many
 * connections at once, and the memory of all models that ship. Several short rounds, of which the best counts: whatever
 * else the machine does only adds to them.
 */
import { readdir, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import * as v from 'valibot'
import { type Edge, startEdge } from '#edge/testing/edge.ts'
import { BUNDLED_MANIFESTS } from '#models/bundled/bundled.ts'
import { publishedModelSchema } from '#protocol/published-model.ts'

const CONNECTIONS = 32
const ROUNDS = 5
const ROUND_SECONDS = 2
const COLD_STARTS = 5
const DECODES = 200
const TICKS_PER_SECOND = 100

const body = (value: object) => JSON.stringify(value)
const models = Object.values(BUNDLED_MANIFESTS).map((manifest) => v.parse(publishedModelSchema, manifest))
const latents = Array.from({ length: 32 }, (_, i) => (i % 7) / 3 - 1)
const decodeOne = body({ model: 'fashion-vae', latents: [latents] })
const row = Array.from({ length: 12 }, (_, i) => i / 10)

const colds: number[] = []
for (let i = 0; i < COLD_STARTS; i++) {
  await using edge = await started()
  colds.push(await timed(() => ask(edge, '/v1/latents/decode', decodeOne)))
}
report('first decode, cold', Math.min(...colds), 'ms')

await using edge = await started()
const worker = await workerProcess()
const empty = await memoryOf(worker)
for (const { id, parts } of models) {
  const { input } = parts
  if (parts.family === 'vae' || parts.family === 'autoencoder') {
    const decoded = await ask(edge, '/v1/latents/decode', body({ model: id, latents: [zeros(parts.latents)] }))
    const [item] = (JSON.parse(decoded) as { data: { b64_json: string; row: number[] }[] }).data
    const given = input.kind === 'rows' ? { rows: [item?.row] } : { images: [item?.b64_json] }
    await ask(edge, '/v1/latents', body({ model: id, ...given }))
    if (parts.family === 'autoencoder') await ask(edge, '/v1/anomalies', body({ model: id, ...given }))
  }
}
report('memory of what ships', (await memoryOf(worker)) - empty, 'MB')

const walls: number[] = []
const cpus: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  const before = await cpuOf(worker)
  walls.push(
    await timed(async () => {
      for (let i = 0; i < DECODES; i++) await ask(edge, '/v1/latents/decode', decodeOne)
    }),
  )
  cpus.push((await cpuOf(worker)) - before)
}
report('decode of one image', Math.min(...walls) / DECODES, 'ms')
report('  CPU time of the Worker', Math.min(...cpus) / DECODES, 'ms')

for (const [name, rows] of [
  ['dense scorer, 1 row', 1],
  ['dense scorer, 64 rows', 64],
] as const) {
  const text = body({ model: 'sensor-anomalies', rows: Array.from({ length: rows }, () => row) })
  const rates: number[] = []
  const costs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = await cpuOf(worker)
    const perSecond = await load('/v1/anomalies', text, ROUND_SECONDS)
    rates.push(perSecond)
    costs.push(((await cpuOf(worker)) - before) / (perSecond * ROUND_SECONDS))
  }
  report(name, Math.max(...rates), `requests/s, ${CONNECTIONS} connections`)
  report('  CPU time of the Worker', Math.min(...costs) * 1000, 'µs a request')
}

function report(name: string, value: number, unit: string): void {
  console.log(`${name.padEnd(26)}${value.toFixed(value < 100 ? 1 : 0).padStart(8)} ${unit}`)
}

async function started() {
  const edge = await startEdge()
  return Object.assign(edge, { [Symbol.asyncDispose]: () => edge.stop() })
}

/** Of the newest workerd that this process has started. */
async function workerProcess(): Promise<number> {
  const children = (await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')).trim().split(/ +/)
  const named = await Promise.all(
    children.map(async (pid) => ({ pid, name: await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '') })),
  )
  const workers = named.filter(({ name }) => name.startsWith('workerd')).map(({ pid }) => Number(pid))
  if (workers.length === 0) throw new Error(`no workerd among ${(await readdir('/proc')).length} processes`)
  return Math.max(...workers)
}

/** Milliseconds, of all its threads. */
async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return (((user ?? 0) + (system ?? 0)) / TICKS_PER_SECOND) * 1000
}

/** Megabytes that are in RAM. */
async function memoryOf(pid: number): Promise<number> {
  const [, resident] = /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(resident) / 1024
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0)
}

async function timed(body: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await body()
  return performance.now() - start
}

function requestText(path: string, text: string): string {
  const lines = [
    `POST ${path} HTTP/1.1`,
    'host: x',
    `authorization: Bearer ${edge.key}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
  ]
  return `${lines.join('\r\n')}\r\n\r\n${text}`
}

async function ask(edge: Edge, path: string, text: string): Promise<string> {
  const { host, port } = edge.direct
  const response = await fetch(`http://${host}:${port}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${edge.key}`, 'content-type': 'application/json' },
    body: text,
  })
  const answer = await response.text()
  if (!response.ok) throw new Error(answer)
  return answer
}

/** Requests a second: each connection asks again as soon as it has been answered. */
async function load(path: string, text: string, seconds: number): Promise<number> {
  const request = requestText(path, text)
  const until = performance.now() + seconds * 1000
  const counts = await Promise.all(Array.from({ length: CONNECTIONS }, () => one(request, until)))
  return counts.reduce((sum, count) => sum + count, 0) / seconds
}

function one(request: string, until: number): Promise<number> {
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
      if (!pending.startsWith('HTTP/1.1 200')) {
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

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { LeasedJob } from '#protocol/training-lease.ts'
import { EdgeJobs, EdgeRefusal, LeaseLost } from './edge-jobs.ts'
import { runnerFailure } from './failure.ts'

const JOB = { id: 'ftjob-x', token: 3 } as LeasedJob
const BYTES = Buffer.from('some bytes')
const SHA256 = createHash('sha256').update(BYTES).digest('hex')

describe('a runner that asks its edge', () => {
  let folder: string
  let jobs: EdgeJobs
  /** What the edge does with the requests to come, one after the other; the last for all others. */
  let answers: ((request: IncomingMessage, response: ServerResponse) => unknown)[]
  const server = createServer((request, response) => {
    const next = answers.length > 1 ? answers.shift() : answers[0]
    next?.(request, response)
  })
  const says = (status: number, body: unknown) => (_: IncomingMessage, response: ServerResponse) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const breaks = (_: IncomingMessage, response: ServerResponse) => response.destroy()
  const refusal = (code: string) => ({ error: { message: `It is ${code}.`, type: 'x', param: null, code } })
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tandem-edge-jobs-'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  after(async () => {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  })
  beforeEach(() => {
    const { port } = server.address() as AddressInfo
    jobs = new EdgeJobs({ edge: `http://127.0.0.1:${port}`, secret: 'a secret', runner: 'me' })
  })

  test('asks again for a file where the line broke, and takes no half of it for the whole', async () => {
    const half = (_: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { 'content-length': String(BYTES.length) })
      response.write(BYTES.subarray(0, 4), () => response.destroy())
    }
    const whole = (_: IncomingMessage, response: ServerResponse) => response.end(BYTES)
    answers = [breaks, half, says(503, {}), whole]
    const file = path.join(folder, 'data')
    await jobs.download(JOB, 'file-a', file)
    assert.ok((await readFile(file)).equals(BYTES))
  })

  test('knows a checkpoint that is not what it should be, or is not there', async () => {
    const file = path.join(folder, 'checkpoint')
    answers = [(_, response) => response.end(BYTES)]
    assert.equal(await jobs.downloadCheckpoint(JOB, SHA256, file), true)
    assert.equal(await jobs.downloadCheckpoint(JOB, 'a'.repeat(64), file), false)
    answers = [says(404, refusal('not_found'))]
    assert.equal(await jobs.downloadCheckpoint(JOB, SHA256, file), false)
  })

  test('puts a file under its hash', async () => {
    const file = path.join(folder, 'model.onnx')
    await writeFile(file, BYTES)
    let told = ''
    answers = [
      breaks,
      async (request, response) => {
        const body = await buffer(request)
        told = `${request.method} ${request.url} ${request.headers['content-length']} ${body.equals(BYTES)}`
        says(200, {})(request, response)
      },
    ]
    assert.deepEqual(await jobs.put(JOB, 'models', file), { sha256: SHA256, bytes: BYTES.length })
    assert.equal(told, `PUT /internal/jobs/ftjob-x/models/${SHA256}?token=3&filename=model.onnx 10 true`)
  })

  test('gives up what is another’s by now, and what the edge refuses', async () => {
    answers = [says(409, refusal('lease_lost'))]
    await assert.rejects(jobs.report(JOB, { from: 0, events: [] }), LeaseLost)
    answers = [says(404, refusal('not_found'))]
    await assert.rejects(jobs.download(JOB, 'file-a', path.join(folder, 'data')), EdgeRefusal)
    answers = [breaks]
    assert.equal(await jobs.report(JOB, { from: 0, events: [] }), undefined)
    assert.equal(await jobs.lease(), undefined)
    // While the runner stops it does not wait.
    jobs.hurry()
    await assert.rejects(jobs.end(JOB, { from: 0, events: [], outcome: { type: 'stopped' } }), LeaseLost)
  })

  test('says of a full disk that it is full', async () => {
    answers = [(_, response) => response.end(BYTES)]
    // Whatever is written there, there is no room for it.
    const error = await jobs.download(JOB, 'file-a', '/dev/full').then(
      () => assert.fail('it was written'),
      (thrown: unknown) => thrown,
    )
    assert.deepEqual(runnerFailure(error), {
      error: { code: 'runner_failed', message: 'The runner’s disk is full.', param: null },
      again: true,
    })
  })
})

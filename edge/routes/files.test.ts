import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import OpenAI, { toFile } from 'openai'
import type { ErrorBody } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'

const CSV = 'a,b\n1,2\n3,4\n'

describe('files', () => {
  let edge: Edge
  let client: OpenAI
  before(async () => {
    edge = await startEdge()
    client = new OpenAI({ apiKey: edge.key, baseURL: `${edge.url}/v1`, maxRetries: 0 })
  })
  after(() => edge.stop())

  const upload = async (text: string | Uint8Array, filename = 'table.csv') =>
    client.files.create({ file: await toFile(Buffer.from(text), filename), purpose: 'fine-tune' })
  /** What lies in the object store under this prefix. */
  const objects = (prefix: string) => edge.objects(prefix)

  test('are made, described, read, listed and deleted by the openai client', async () => {
    const file = await upload(CSV, 'ein Name "é".csv')
    assert.match(file.id, /^file-[a-zA-Z0-9]{20,}$/)
    assert.deepEqual(
      { ...file, id: '', created_at: 0 },
      {
        id: '',
        object: 'file',
        bytes: CSV.length,
        created_at: 0,
        filename: 'ein Name "é".csv',
        purpose: 'fine-tune',
        status: 'processed',
      },
    )
    assert.deepEqual(await client.files.retrieve(file.id), file)
    assert.deepEqual(await client.files.waitForProcessing(file.id), file)
    const content = await client.files.content(file.id)
    assert.equal(await content.text(), CSV)
    assert.match(content.headers.get('content-disposition') ?? '', /^attachment; filename\*=UTF-8''ein%20Name/)
    assert.equal(content.headers.get('content-security-policy'), "default-src 'none'; sandbox")
    assert.equal(content.headers.get('content-type'), 'application/octet-stream')
    const others = [await upload('x,y\n'), await upload('y,z\n')]
    const listed: string[] = []
    for await (const { id } of client.files.list({ limit: 1 })) listed.push(id)
    assert.deepEqual(listed, [others[1]?.id, others[0]?.id, file.id])
    const ascending = await client.files.list({ order: 'asc', purpose: 'fine-tune' })
    assert.deepEqual(
      ascending.data.map(({ id }) => id),
      listed.toReversed(),
    )
    assert.deepEqual(await client.files.delete(file.id), { id: file.id, object: 'file', deleted: true })
    await assert.rejects(client.files.retrieve(file.id), { status: 404, code: 'not_found' })
    assert.deepEqual(await objects(`files/${file.id}`), [])
  })

  test('of several pieces lie in the store byte for byte', async () => {
    const bytes = randomBytes((20 << 20) + 12_345)
    const file = await upload(bytes, 'large.zip')
    assert.equal(file.bytes, bytes.length)
    const back = Buffer.from(await (await client.files.content(file.id)).arrayBuffer())
    assert.equal(createHash('sha256').update(back).digest('hex'), createHash('sha256').update(bytes).digest('hex'))
  })

  test('are refused with what is wrong', async () => {
    const refused = async (fields: Record<string, string | Blob>) => {
      const form = new FormData()
      for (const [name, value] of Object.entries(fields)) form.append(name, value)
      const { status, code, param } = await errorOf(await edge.ask('/v1/files', { form }))
      return [status, code, param]
    }
    const file = new Blob([CSV])
    assert.deepEqual(await refused({ purpose: 'fine-tune' }), [400, 'missing_required_parameter', 'file'])
    assert.deepEqual(await refused({ file }), [400, 'missing_required_parameter', 'purpose'])
    assert.deepEqual(await refused({ file, purpose: 'batch' }), [400, 'unsupported_parameter', 'purpose'])
    assert.deepEqual(await refused({ file, purpose: 'none' }), [400, 'invalid_value', 'purpose'])
    assert.deepEqual(await refused({ file: CSV, purpose: 'fine-tune' }), [400, 'invalid_value', 'file'])
    assert.deepEqual(await refused({ file: new Blob([]), purpose: 'fine-tune' }), [400, 'invalid_value', 'file'])
    assert.deepEqual(await refused({ file, purpose: 'fine-tune', owner: 'me' }), [400, 'unknown_parameter', 'owner'])
    const soon = { file, purpose: 'fine-tune', 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '1' }
    assert.deepEqual((await refused(soon)).slice(0, 2), [400, 'invalid_value'])
    const json = await errorOf(await edge.ask('/v1/files', { body: {} }))
    assert.deepEqual([json.status, json.code], [415, 'unsupported_media_type'])
    assert.equal((await objects('files/')).length, (await client.files.list()).data.length, 'nothing is left of them')
  })

  describe('of 2 GB are refused before they are read,', () => {
    const BYTES = 2 ** 31
    const expected = new RegExp(`at most ${LIMITS.fileBytes} bytes, got a body of ${BYTES}`)

    test('whoever waits for a word', async () => {
      const headers = {
        authorization: `Bearer ${edge.key}`,
        'content-type': 'multipart/form-data; boundary=x',
        'content-length': BYTES,
      }
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
      const call = httpRequest(`${edge.url}/v1/files`, { method: 'POST', headers }, resolve)
      call.on('error', reject)
      // The rest never comes.
      call.write('--x\r\ncontent-disposition: form-data; name="file"; filename="large.zip"\r\n\r\n')
      const response = await promise
      const { error } = JSON.parse(await text(response)) as ErrorBody
      call.destroy()
      assert.deepEqual([response.statusCode, error.code], [413, 'request_too_large'])
      assert.match(error.message, expected)
      assert.equal((await edge.ask('/v1/files')).status, 200)
    })

    test('whoever sends at full speed', async () => {
      const zeros = new Uint8Array(1 << 20)
      const response = await fetch(`${edge.url}/v1/files`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${edge.key}`,
          'content-type': 'multipart/form-data; boundary=x',
          'content-length': String(BYTES),
        },
        body: new ReadableStream({ pull: (controller) => controller.enqueue(zeros) }),
        duplex: 'half',
      })
      const { status, code, param } = await errorOf(response)
      assert.deepEqual([status, code, param], [413, 'request_too_large', 'file'])
      assert.equal((await edge.ask('/v1/files')).status, 200)
    })

    test('whoever reads the answer only when all has been sent', async () => {
      const socket = connect(edge.port, '127.0.0.1')
      socket.pause()
      socket.write(`POST /v1/files HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${edge.key}\r\n`)
      socket.write(`Content-Type: multipart/form-data; boundary=x\r\nContent-Length: ${BYTES}\r\n\r\n`)
      const zeros = Buffer.alloc(1 << 20)
      for (let sent = 0; sent < 200; sent++) if (!socket.write(zeros)) await once(socket, 'drain')
      let answer = ''
      for await (const chunk of socket) answer += chunk
      assert.match(answer, /^HTTP\/1\.1 413 /)
      assert.match(answer, expected)
    })
  })

  test('count as requests, and take no more than their owner’s share', async () => {
    const owner = 'collector'
    const { key } = await edge.newKey({ owner, limits: { requests_per_minute: 3 } })
    const own = new OpenAI({ apiKey: key, baseURL: `${edge.url}/v1`, maxRetries: 0 })
    const make = async () => own.files.create({ file: await toFile(Buffer.from(CSV), 'a.csv'), purpose: 'fine-tune' })
    const first = await make()
    await edge.database.prepare('UPDATE files SET bytes = ? WHERE id = ?').bind(LIMITS.ownerFileBytes, first.id).run()
    const full = await make().catch((error: unknown) => error)
    assert.ok(full instanceof OpenAI.APIError)
    assert.deepEqual([full.status, full.code, full.headers.get('retry-after')], [429, 'insufficient_quota', '60'])
    await own.files.delete(first.id)
    await make()
    await assert.rejects(make(), { status: 429, code: 'rate_limit_exceeded' })
    const rows = "SELECT COUNT(*) AS count FROM usage WHERE owner = ? AND route = '/v1/files' AND outcome = 'completed'"
    // Written within a moment; that of the last request may come after its answer.
    for (let count = 0; count !== 2; ) {
      count = (await edge.database.prepare(rows).bind(owner).first<{ count: number }>())?.count ?? 0
      assert.ok(count <= 2)
    }
  })

  test('with the same Idempotency-Key are one', async () => {
    const make = async (text: string) =>
      client.files.create(
        { file: await toFile(Buffer.from(text), 'a.csv'), purpose: 'fine-tune' },
        { headers: { 'idempotency-key': 'file-key' } },
      )
    const first = await make(CSV)
    const kept = await objects('files/')
    assert.deepEqual(await make(CSV), first)
    await assert.rejects(make(`${CSV}5,6\n`), { status: 409, code: 'idempotency_key_reused' })
    assert.deepEqual(await objects('files/'), kept)
  })

  test('are gone after their time', async () => {
    const file = await client.files.create({
      file: await toFile(Buffer.from(CSV), 'a.csv'),
      purpose: 'fine-tune',
      expires_after: { anchor: 'created_at', seconds: 3_600 },
    })
    assert.equal(file.expires_at, file.created_at + 3_600)
    await edge.database.prepare('UPDATE files SET expires_at = ? WHERE id = ?').bind(Date.now(), file.id).run()
    await assert.rejects(client.files.retrieve(file.id), { status: 404 })
    const other = await upload(CSV)
    await client.files.delete(other.id)
    assert.deepEqual(await objects(`files/${file.id}`), [])
  })

  test('in parts are put together in order', async () => {
    const bytes = randomBytes(100_000)
    const [first, second] = [bytes.subarray(0, 60_000), bytes.subarray(60_000)]
    const begin = (size = bytes.length) =>
      client.uploads.create({ bytes: size, filename: 'a.zip', mime_type: 'application/zip', purpose: 'fine-tune' })
    const { id, status } = await begin()
    assert.equal(status, 'pending')
    const part = async (data: Uint8Array) => client.uploads.parts.create(id, { data: await toFile(data, 'part') })
    const [b, a] = [await part(second), await part(first)]
    assert.equal(a.upload_id, id)
    const refused = async (body: Parameters<typeof client.uploads.complete>[1]) => {
      const error = await client.uploads.complete(id, body).catch((thrown: unknown) => thrown)
      assert.ok(error instanceof OpenAI.APIError)
      return [error.status, error.code, error.param]
    }
    assert.deepEqual(await refused({ part_ids: [a.id] }), [400, 'invalid_upload', 'part_ids'])
    assert.deepEqual(await refused({ part_ids: [a.id, a.id] }), [400, 'invalid_upload', 'part_ids[1]'])
    assert.deepEqual(await refused({ part_ids: [a.id, 'part_none'] }), [400, 'invalid_upload', 'part_ids[1]'])
    const md5 = createHash('md5').update(bytes).digest('hex')
    assert.deepEqual(await refused({ part_ids: [b.id, a.id], md5 }), [400, 'invalid_upload', 'md5'])
    const done = await client.uploads.complete(id, { part_ids: [a.id, b.id], md5 })
    assert.equal(done.status, 'completed')
    const back = Buffer.from(await (await client.files.content(done.file?.id ?? '')).arrayBuffer())
    assert.ok(back.equals(bytes))
    assert.deepEqual(await objects('uploads/'), [])
    assert.deepEqual((await refused({ part_ids: [a.id, b.id] })).slice(0, 2), [400, 'invalid_upload'])
    await assert.rejects(part(first), { status: 400, code: 'invalid_upload' })
    const cancelled = await client.uploads.cancel((await begin()).id)
    assert.equal(cancelled.status, 'cancelled')
    assert.deepEqual(await client.uploads.cancel(cancelled.id), cancelled)
    await assert.rejects(begin(2 ** 31), { status: 413, param: 'bytes' })
    const late = await begin()
    await edge.database.prepare('UPDATE uploads SET expires_at = 1 WHERE id = ?').bind(late.id).run()
    await assert.rejects(client.uploads.cancel(late.id), { status: 400, message: /is expired/ })
    await assert.rejects(client.uploads.cancel('upload_none'), { status: 404 })
  })

  test('in parts, with an Idempotency-Key for each step, are one', async () => {
    const keyed = (key: string) => ({ headers: { 'idempotency-key': key } })
    const begin = () =>
      client.uploads.create(
        { bytes: CSV.length, filename: 'a.csv', mime_type: 'text/csv', purpose: 'fine-tune' },
        keyed('begin'),
      )
    const upload = await begin()
    assert.deepEqual(await begin(), upload)
    const add = async (text: string) =>
      client.uploads.parts.create(upload.id, { data: await toFile(Buffer.from(text), 'part') }, keyed('add'))
    const part = await add(CSV)
    assert.deepEqual(await add(CSV), part)
    await assert.rejects(add('other'), { status: 409, code: 'idempotency_key_reused' })
    const complete = () => client.uploads.complete(upload.id, { part_ids: [part.id] }, keyed('complete'))
    const done = await complete()
    const kept = await objects('files/')
    assert.deepEqual(await complete(), done)
    assert.deepEqual(await objects('files/'), kept)
  })

  test('in parts of two requests at once become one', async () => {
    const { id } = await client.uploads.create({
      bytes: CSV.length,
      filename: 'a.csv',
      mime_type: 'text/csv',
      purpose: 'fine-tune',
    })
    const { id: part } = await client.uploads.parts.create(id, { data: await toFile(Buffer.from(CSV), 'part') })
    const listedBefore = (await client.files.list()).data.length
    const keptBefore = (await objects('files/')).length
    const all = await Promise.allSettled([1, 2, 3].map(() => client.uploads.complete(id, { part_ids: [part] })))
    assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal((await client.files.list()).data.length, listedBefore + 1)
    assert.equal((await objects('files/')).length, keptBefore + 1)
  })
})

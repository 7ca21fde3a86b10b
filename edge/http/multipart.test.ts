import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ApiError } from '#protocol/error.ts'
import { formParts } from './multipart.ts'

const MOST = 1 << 20
const BOUNDARY = 'x-boundary'

/** A request whose body comes in pieces of these sizes, in turns. */
function requestOf(body: Uint8Array, sizes: readonly number[], type = `multipart/form-data; boundary=${BOUNDARY}`) {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0, i = 0; at < body.length; i++) {
        const size = sizes[i % sizes.length] ?? 1
        controller.enqueue(body.subarray(at, at + size))
        at += size
      }
      controller.close()
    },
  })
  const init = { method: 'POST', body: stream, duplex: 'half', headers: { 'content-type': type } }
  return new Request('http://edge/', init as RequestInit)
}

async function read(request: Request, most = MOST) {
  const parts: { name: string; filename: string | undefined; bytes: number[] }[] = []
  for await (const { name, filename, body } of formParts(request, most)) {
    const bytes: number[] = []
    for await (const chunk of body) bytes.push(...chunk)
    parts.push({ name, filename, bytes })
  }
  return parts
}

const refusal = async (body: string, type?: string) => {
  const error = await read(requestOf(new TextEncoder().encode(body), [7], type)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof ApiError, body)
  return error.code
}

test('what a client sends is what is read, however it arrives', async () => {
  // Bytes that boundaries are made of, so that what looks like the beginning of one occurs.
  const byte = fc.oneof(fc.constantFrom(13, 10, 45, 120), fc.integer({ min: 0, max: 255 }))
  const part = fc.record({ bytes: fc.array(byte, { maxLength: 200 }), isFile: fc.boolean() })
  const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 5 }), sizes, async (parts, pieces) => {
      const form = new FormData()
      for (const [i, { bytes, isFile }] of parts.entries()) {
        // A text field is normalised by who sends it; a file is not.
        if (isFile) form.append(`p${i}`, new Blob([Uint8Array.from(bytes)]), `a "name" ${i}.zip`)
        else form.append(`p${i}`, bytes.map((value) => value % 10).join(''))
      }
      const sent = new Response(form)
      const body = new Uint8Array(await sent.arrayBuffer())
      const found = await read(requestOf(body, pieces, sent.headers.get('content-type') ?? ''))
      assert.deepEqual(
        found,
        parts.map(({ bytes, isFile }, i) => ({
          name: `p${i}`,
          filename: isFile ? `a "name" ${i}.zip` : undefined,
          bytes: isFile ? bytes : [...new TextEncoder().encode(bytes.map((value) => value % 10).join(''))],
        })),
      )
    }),
    { numRuns: 300 },
  )
})

test('a part that is not read is passed over', async () => {
  const form = new FormData()
  form.append('first', 'x'.repeat(5_000))
  form.append('second', 'y')
  const sent = new Response(form)
  const names: string[] = []
  for await (const { name } of formParts(new Request('http://edge/', { method: 'POST', body: form }), MOST)) {
    names.push(name)
  }
  await sent.body?.cancel()
  assert.deepEqual(names, ['first', 'second'])
})

test('what is no form is refused', async () => {
  const part = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="a"\r\n\r\nx\r\n`
  for (const body of [
    '',
    'x',
    `${part}`,
    `${part}--${BOUNDARY}`,
    `${part}--${BOUNDARY}?`,
    `before${part}--${BOUNDARY}--`,
    `--${BOUNDARY}\r\n\r\nx\r\n--${BOUNDARY}--`,
    `--${BOUNDARY}\r\nx: ${'y'.repeat(20_000)}`,
    part.repeat(20),
  ]) {
    assert.equal(await refusal(body), 'invalid_request', body.slice(0, 60))
  }
  const whole = `${part}--${BOUNDARY}--\r\n`
  assert.equal(await refusal(whole, 'multipart/form-data'), 'invalid_request')
  assert.equal(await refusal(whole, `multipart/form-data; boundary=${'b'.repeat(5_000)}`), 'invalid_request')
  assert.equal(await refusal(whole, 'application/json'), 'unsupported_media_type')
  assert.equal((await read(requestOf(new TextEncoder().encode(whole), [1]))).length, 1)
})

test('a body is read to its limit', async () => {
  const form = new FormData()
  form.append('a', 'x'.repeat(5_000))
  const request = new Request('http://edge/', { method: 'POST', body: form })
  await assert.rejects(read(request, 4_000), { code: 'request_too_large' })
  const declared = new Request('http://edge/', {
    method: 'POST',
    body: form,
    headers: { 'content-length': '2000000000' },
  })
  await assert.rejects(read(declared), { code: 'request_too_large' })
})

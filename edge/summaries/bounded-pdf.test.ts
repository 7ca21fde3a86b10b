import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { DocumentError } from '../documents/open-document.ts'
import { boundedPdf } from './bounded-pdf.ts'

/** A document of streams, each with its dictionary. */
const pdf = (...streams: readonly (readonly [string, Uint8Array])[]) =>
  new Uint8Array(
    Buffer.concat([
      Buffer.from('%PDF-1.4\n'),
      ...streams.flatMap(([dictionary, data], i) => [
        Buffer.from(`${i + 1} 0 obj\n<< ${dictionary} /Length ${data.length} >>\nstream\r\n`),
        data,
        Buffer.from('\nendstream\nendobj\n'),
      ]),
    ]),
  )
const FLATE = '/Filter /FlateDecode'
const zeros = (megabytes: number) => deflateSync(Buffer.alloc(megabytes << 20))
const refused = (bytes: Uint8Array) => assert.throws(() => boundedPdf(bytes), DocumentError)

test('what does not unpack to much stays as it is', () => {
  const random = deflateSync(Buffer.from('(Hello) Tj'))
  const document = pdf([FLATE, zeros(20)], ['', Buffer.from('raw')], [FLATE, random], [FLATE, random.subarray(0, 9)])
  assert.ok(Buffer.from(document).equals(boundedPdf(document)))
})

test('streams that are too much alone, or together, are refused', () => {
  refused(pdf([FLATE, zeros(65)]))
  refused(pdf(...Array.from({ length: 4 }, () => [FLATE, zeros(17)] as const)))
})

test('an end that stands within the data ends nothing', () => {
  const level = Buffer.from('endstream\n')
  const stored = Buffer.from([0x78, 1, 0, level.length, 0, 0xff - level.length, 0xff])
  // A block that is not packed, with the word in it, then the rest.
  refused(pdf([FLATE, Buffer.concat([stored, level, zeros(65).subarray(2)])]))
})

test('what cannot be looked into may be small', () => {
  const hidden = (bytes: number) => pdf(['/Filter /LZWDecode', Buffer.alloc(bytes, 0x80)])
  const most = (1 << 20) - 1
  assert.ok(Buffer.from(hidden(most)).equals(boundedPdf(hidden(most))))
  refused(hidden((1 << 20) + 10))
  refused(pdf(['/Filter [/FlateDecode /FlateDecode]', deflateSync(zeros(1))]))
})

test('pictures are emptied, however large they are', () => {
  const document = pdf([`/Type /XObject /Subtype /Image ${FLATE}`, zeros(65)], ['', Buffer.from('kept')])
  const bounded = boundedPdf(document)
  assert.equal(bounded.length, document.length)
  const text = Buffer.from(bounded).toString('latin1')
  assert.ok(/stream\r\n\0+endstream[\s\S]*stream\r\nkept\nendstream/.test(text))
})

test('words that begin streams that are none take no long time', { timeout: 20_000 }, () => {
  for (const word of ['stream\n', '/Subtype /Image stream\n', '/F stream\n']) {
    const some = new Uint8Array(Buffer.from(word.repeat(29_000) + 'x'.repeat(1 << 23)))
    try {
      boundedPdf(some)
    } catch (error) {
      assert.ok(error instanceof DocumentError)
    }
    refused(new Uint8Array(Buffer.from(word.repeat(31_000))))
  }
})

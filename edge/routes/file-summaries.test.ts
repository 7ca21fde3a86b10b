/** Summaries of files, by the edge alone: no runner is there. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { strToU8, zipSync, zlibSync } from 'fflate'
import type { SummaryAnswer } from '#protocol/summaries.ts'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'
import { pdfOf } from '../testing/pdf.ts'
import { dataOf } from '../testing/sse.ts'

const SENTENCES = ['The storm closed the harbour.', 'Lunch was late.', 'The storm sank two boats in the harbour.']
const docx = (body: string) =>
  zipSync({ 'word/document.xml': strToU8(`<w:document xmlns:w="w"><w:body>${body}</w:body></w:document>`) })

describe('POST /v1/summaries with file_id', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge({ runnerUrl: 'http://127.0.0.1:9' })
  })
  after(() => edge.stop())

  async function upload(name: string, content: string | Uint8Array): Promise<string> {
    const form = new FormData()
    form.set('purpose', 'user_data')
    form.set('file', new Blob([content as Uint8Array<ArrayBuffer> | string]), name)
    const response = await edge.ask('/v1/files', { form })
    const { id } = (await response.json()) as { id: string }
    assert.equal(response.status, 200)
    return id
  }
  const ask = (file_id: string, more: object = {}) =>
    edge.ask('/v1/summaries', { body: { file_id, length: { sentences: 2 }, ...more } })
  async function summarised(name: string, content: string | Uint8Array): Promise<SummaryAnswer> {
    const response = await ask(await upload(name, content))
    assert.equal(response.status, 200, await response.clone().text())
    return (await response.json()) as SummaryAnswer
  }

  test('reads plain text, HTML, Word and PDF, and gives the text that the places are in', async () => {
    const html = `<html><head><title>no</title><style>p{}</style></head><title>Nobody</title><body><nav>Home</nav><h1>Storm &amp; sea</h1>
      <p>${SENTENCES[0]} <b>${SENTENCES[1]}</b></p><script>no()</script><p>${SENTENCES[2]}</p></body></html>`
    const word = docx(SENTENCES.map((text) => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`).join(''))
    for (const [name, content] of [
      ['a.txt', SENTENCES.join('\n')],
      ['a.html', html],
      ['a.DOCX', word],
      ['a.pdf', pdfOf([SENTENCES.slice(0, 2), SENTENCES.slice(2)])],
    ] as const) {
      const { input = '', sentences, degraded } = await summarised(name, content)
      assert.equal(degraded, true)
      assert.deepEqual(
        sentences.map(({ source }) => source.map(({ start, end }) => input.slice(start, end).replaceAll(/\s+/g, ' '))),
        sentences.map(({ text }) => [text]),
        name,
      )
      for (const text of SENTENCES) assert.ok(input.replaceAll(/\s+/g, ' ').includes(text), `${name}: ${input}`)
      assert.doesNotMatch(input, /no\(|p\{|Home|Nobody/)
    }
  })

  test('streams, with the text in the last event', async () => {
    const response = await ask(await upload('a.txt', SENTENCES.join(' ')), { stream: true })
    const events = dataOf(await response.text())
    assert.equal(events.at(-1), '[DONE]')
    const answer = JSON.parse(events.at(-2) ?? '') as SummaryAnswer
    assert.equal(answer.input, SENTENCES.join(' '))
    assert.equal(answer.sentences.length, 2)
  })

  test('says what is wrong with a file', async () => {
    const packedPdf = Buffer.concat([
      Buffer.from('%PDF-1.4\n1 0 obj\n<< /Filter /FlateDecode >>\nstream\n'),
      zlibSync(new Uint8Array(65 << 20)),
      Buffer.from('\nendstream\nendobj\n'),
    ])
    const bomb = zipSync({ 'word/document.xml': new Uint8Array(49 << 20) })
    for (const [name, content, status, reason] of [
      ['a.csv', 'a,b', 400, /files of the kind 'csv'/],
      ['none', 'a', 400, /files of the kind ''/],
      ['a.txt', new Uint8Array([0x61, 0xff]), 422, /not in UTF-8/],
      ['a.txt', ' \n', 422, /has no text/],
      ['a.html', '<p></p>', 422, /has no text/],
      ['a.docx', bomb, 422, /unpacks to too much/],
      ['a.docx', 'no zip', 422, /not a zip archive/],
      ['a.pdf', 'no pdf', 422, /no PDF/],
      ['a.pdf', packedPdf, 422, /unpacks to too much/],
      ['a.pdf', pdfOf([[]]), 422, /has no text; pictures/],
      ['a.pdf', pdfOf([['x']], { locked: true }), 422, /locked with a password/],
      ['a.txt', 'a '.repeat((1 << 19) + 1), 413, /the limit is 1048576/],
      ['a.txt', new Uint8Array((16 << 20) + 1).fill(97), 413, /at most 16777216 bytes/],
    ] as const) {
      const response = await ask(await upload(name, content))
      const { message, param } = await errorOf(response)
      assert.equal(response.status, status, `${name}: ${message}`)
      assert.match(message, reason)
      assert.equal(param, 'file_id')
    }
  })

  test('takes a file or a text, and only the caller’s own file', async () => {
    const id = await upload('a.txt', SENTENCES.join(' '))
    const refused = async (body: object) => {
      const response = await edge.ask('/v1/summaries', { body })
      return [response.status, (await errorOf(response)).param]
    }
    assert.deepEqual(await refused({ file_id: id, input: 'a' }), [400, 'file_id'])
    assert.deepEqual(await refused({}), [400, 'input'])
    assert.deepEqual(await refused({ file_id: 'file-none' }), [404, 'file_id'])
    await edge.ask(`/v1/files/${id}`, { method: 'DELETE' })
    assert.deepEqual(await refused({ file_id: id }), [404, 'file_id'])
  })
})

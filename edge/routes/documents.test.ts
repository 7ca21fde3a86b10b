import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DeepLClient } from 'deepl-node'
import type { DocumentStatus } from '#protocol/documents.ts'
import { ApiError } from '#protocol/error.ts'
import { type Ask, type Edge, startEdge } from '../testing/edge.ts'
import { TRANSLATION_MODELS, translatesWords } from '../testing/stub-runner.ts'

interface Handle {
  document_id: string
  document_key: string
}

describe('POST /v2/document', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
    edge.runner.models = TRANSLATION_MODELS
  })
  after(() => edge.stop())
  const form = (contents: string | Uint8Array<ArrayBuffer>, fields: Record<string, string>, name = 'a.txt') => {
    const data = new FormData()
    for (const [field, value] of Object.entries(fields)) data.append(field, value)
    data.append('file', new Blob([contents]), name)
    return data
  }
  const FRENCH = { target_lang: 'FR', source_lang: 'EN' }
  const send = (contents: string, fields: Record<string, string> = FRENCH, ask: Ask = {}, name?: string) =>
    edge.ask('/v2/document', { form: form(contents, fields, name), ...ask })
  const handle = async (response: Response): Promise<Handle> => {
    assert.equal(response.status, 200, await response.clone().text())
    return (await response.json()) as Handle
  }
  const about = ({ document_id: id, document_key }: Handle, what = '', ask: Ask = {}) =>
    edge.ask(`/v2/document/${id}${what}`, { body: { document_key }, ...ask })
  /** Asks until it has ended. */
  const ended = async (of: Handle): Promise<DocumentStatus> => {
    for (;;) {
      const status = (await (await about(of)).json()) as DocumentStatus
      if (status.status === 'done' || status.status === 'error') return status
    }
  }

  test('a document is translated, fetched once, and then gone', async () => {
    const of = await handle(await send('Open the file.\n\nHello {x}\n'))
    assert.deepEqual(await ended(of), {
      document_id: of.document_id,
      status: 'done',
      seconds_remaining: 0,
      billed_characters: 26,
    })
    const result = await about(of, '/result')
    assert.equal(result.status, 200)
    assert.equal(result.headers.get('content-type'), 'text/plain; charset=utf-8')
    assert.match(result.headers.get('content-disposition') ?? '', /^attachment; filename\*=UTF-8''a\.txt$/)
    assert.equal(await result.text(), 'Ouvrez le fichier.\n\nBonjour {x}\n')
    assert.equal((await about(of, '/result')).status, 404)
    assert.equal((await about(of)).status, 404)
    assert.deepEqual(await edge.objects('documents/'), [])
  })

  test('a document that is given up is gone, and nobody translates it any more', async () => {
    const asked = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    const { translation } = edge.runner
    edge.runner.onTranslationClosed = () => closed.resolve()
    edge.runner.translation = () => {
      asked.resolve()
      return new Promise(() => undefined)
    }
    const of = await handle(await send('Open the file.'))
    await asked.promise
    const key = 'another-key'
    assert.equal((await about({ ...of, document_key: key }, '/cancel')).status, 404)
    assert.equal((await about(of, '/cancel')).status, 204)
    await closed.promise
    assert.equal((await about(of)).status, 404)
    assert.equal((await about(of, '/cancel')).status, 404)
    edge.runner.onTranslationClosed = () => undefined
    edge.runner.translation = translation
  })

  test('is nobody else’s, nor without its key', async () => {
    const of = await handle(await send('Hello'))
    await ended(of)
    const { key } = await edge.newKey({ owner: 'another' })
    for (const what of ['', '/result']) {
      assert.equal((await about(of, what, { key })).status, 404)
      assert.equal((await about({ ...of, document_key: 'x' }, what)).status, 404)
      assert.equal((await about({ ...of, document_id: 'doc_none' }, what)).status, 404)
    }
    assert.equal(await (await about(of, '/result')).text(), 'Bonjour')
  })

  test('waits for a runner that has no room, and is not ready until then', async (t) => {
    t.after(() => {
      edge.runner.translation = translatesWords
    })
    const asked = Promise.withResolvers<void>()
    const room = Promise.withResolvers<void>()
    let tries = 0
    edge.runner.translation = async (request) => {
      if (++tries === 1) throw new ApiError('model_loading', 'Loading.', { retryAfter: 1 })
      asked.resolve()
      await room.promise
      return translatesWords(request)
    }
    const of = await handle(await send('Hello'))
    await asked.promise
    const early = await about(of, '/result')
    assert.deepEqual([early.status, early.headers.get('retry-after')], [503, '1'])
    const status = (await (await about(of)).json()) as DocumentStatus
    assert.equal(status.status, 'translating')
    room.resolve()
    assert.equal((await ended(of)).status, 'done')
    assert.equal(tries, 2)
    assert.equal(await (await about(of, '/result')).text(), 'Bonjour')
  })

  test('survives the edge’s death', async (t) => {
    t.after(() => {
      edge.runner.translation = translatesWords
    })
    const asked = Promise.withResolvers<void>()
    edge.runner.translation = () => {
      asked.resolve()
      return new Promise(() => {})
    }
    const of = await handle(await send('Hello world'))
    await asked.promise
    edge.runner.translation = translatesWords
    await edge.kill()
    await ended(of)
    assert.equal(await (await about(of, '/result')).text(), 'Bonjour monde')
  })

  test('is sent once with an Idempotency-Key', async () => {
    const ask = { headers: { 'idempotency-key': 'the-same' } }
    const first = await handle(await send('Hello', FRENCH, ask))
    assert.deepEqual(await handle(await send('Hello', FRENCH, ask)), first)
    assert.equal((await send('Hello world', FRENCH, ask)).status, 409)
    await ended(first)
    const kept = `documents/${first.document_id}.result`
    let objects = await edge.objects('documents/')
    // What was sent again goes as soon as nobody works at it.
    for (let i = 0; i < 200 && objects.length > 1; i++) objects = await edge.objects('documents/')
    assert.deepEqual(objects, [kept])
    await (await about(first, '/result')).arrayBuffer()
  })

  test('refuses what it cannot read, in DeepL’s shape', async () => {
    for (const [contents, fields, name, status, message] of [
      ['x', FRENCH, 'a.pdf', 400, /documents of the kind 'pdf' are not read/],
      ['x', FRENCH, 'a.docx', 400, /it is not a zip archive/],
      ['x', { target_lang: 'DE' }, 'a.txt', 400, /'target_lang' not supported/],
      ['x', { target_lang: 'FR', source_lang: 'FR' }, 'a.txt', 400, /are equal/],
      ['x', {}, 'a.txt', 400, /'target_lang'/],
      ['x', { ...FRENCH, formality: 'more' }, 'a.txt', 400, /'formality'/],
      ['x', { ...FRENCH, output_format: 'pdf' }, 'a.txt', 400, /Unknown parameter: 'output_format'/],
      ['x', { ...FRENCH, glossary_id: 'none' }, 'a.txt', 404, /no glossary/],
      ['', FRENCH, 'a.txt', 400, /empty/],
      ['a'.repeat(1_100_000), FRENCH, 'a.txt', 413, /at most 1048576 characters/],
      ['a'.repeat(5 << 20), FRENCH, 'a.txt', 413, /at most/],
    ] as const) {
      const response = await send(contents, fields, {}, name)
      const answer = (await response.json()) as { message: string }
      assert.equal(response.status, status, answer.message)
      assert.match(answer.message, message)
    }
    const foreign = await handle(await send('Привет, мир! Как дела?', { target_lang: 'FR' }))
    const { status, error_message, message } = await ended(foreign)
    assert.equal(status, 'error')
    assert.match(error_message ?? '', /translates from 'ru'/)
    assert.equal(message, error_message)
  })

  test('DeepL’s own client works unchanged', async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tandem-document-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const client = new DeepLClient(edge.key, { serverUrl: edge.url, maxRetries: 0 })
    const source = Buffer.from('<p>Open the <b>window</b></p>')
    const of = await client.uploadDocument(source, 'en', 'fr', { filename: 'page.html' })
    const { documentId: document_id, documentKey: document_key } = of
    await ended({ document_id, document_key })
    const status = await client.getDocumentStatus(of)
    assert.deepEqual([status.ok(), status.done(), status.billedCharacters], [true, true, 29])
    const target = path.join(folder, 'page.html')
    await client.downloadDocument(of, target)
    assert.equal(await readFile(target, 'utf8'), '<p>Ouvrez le <b>fenêtre</b></p>')
    await assert.rejects(client.getDocumentStatus(of), /Not found/)
  })
})

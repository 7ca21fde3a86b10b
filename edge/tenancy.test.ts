/** Nobody gets in, and nobody sees another's: for every operation that the router has. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { EVERY_SCOPE, SCOPES } from '#protocol/scopes.ts'
import { operations } from './app.ts'
import { dialectOf } from './http/dialect.ts'
import { isPublic } from './middleware/public-routes.ts'
import type { Operation } from './routes/operation.ts'
import { needFile } from './storage/trained-models.ts'
import { type Edge, startEdge } from './testing/edge.ts'
import { MODEL, saysResumably, TRANSLATION_MODELS } from './testing/stub-runner.ts'

const closed = operations.filter(({ scope }) => scope !== null)
const withId = closed.filter(({ path }) => path.includes('{'))
const nameOf = ({ method, path }: Operation) => `${method} ${path}`
/** What a caller without a good key is told: DeepL and LibreTranslate say 403. */
const unauthorised = (path: string): number => (dialectOf(path) === 'openai' ? 401 : 403)
/** A path with something in the place of each name. */
const filled = (path: string) => path.replaceAll(/\{\w+\}/g, 'none')

/** Ids that are nobody's: what they name is the same for all. */
const COMMON = new Set(['GET /v1/models/{id}'])
/** Whoever may administer sees every key. */
const ADMINISTERED = /^\w+ \/v1\/keys\//

describe('every operation', () => {
  let edge: Edge
  before(async () => {
    // On loopback no number of keys is too many.
    edge = await startEdge({ loopback: true })
    edge.runner.script = saysResumably(['Mine'])
    edge.runner.models = [MODEL, ...TRANSLATION_MODELS]
  })
  after(() => edge.stop())

  test('that has a scope is closed, every other one is listed as public', () => {
    for (const { method, path, scope } of operations) {
      const open = isPublic(method, path.replaceAll(/\{\w+\}/g, 'x'))
      assert.equal(open, scope === null || path.startsWith('/v1/shared/'), `${method} ${path}`)
    }
  })

  test('asks for a key that is good', async () => {
    const { id, key } = await edge.newKey()
    await edge.database.prepare('UPDATE keys SET expires_at = 1 WHERE id = ?').bind(id).run()
    for (const operation of closed) {
      const ask = { method: operation.method, ...(operation.method === 'POST' && { body: {} }) }
      const path = filled(operation.path)
      for (const shown of [null, 'x', `tdm_${'a'.repeat(43)}`, key]) {
        const response = await edge.ask(path, { ...ask, key: shown })
        assert.equal(response.status, unauthorised(path), `${nameOf(operation)} with ${shown}`)
        assert.equal(response.headers.get('www-authenticate'), response.status === 401 ? 'Bearer' : null)
        assert.match(await response.clone().text(), /API key/, nameOf(operation))
        await response.arrayBuffer()
      }
      const elsewhere = await edge.ask(path, { ...ask, key: null, headers: { 'x-api-key': edge.key } })
      assert.equal(elsewhere.status, unauthorised(path), `${nameOf(operation)} with x-api-key`)
    }
  })

  test('asks for its scope', async () => {
    for (const operation of closed) {
      const { scope, method, path } = operation
      const ask = { method, ...(method === 'POST' && { body: { none: 1 } }) }
      const others = await edge.newKey({ scopes: SCOPES.filter((other) => other !== scope) })
      const refused = await edge.ask(filled(path), { ...ask, key: others.key })
      assert.equal(refused.status, 403, nameOf(operation))
      assert.match(await refused.text(), new RegExp(`This API key lacks the scope '${scope}'`))
      const own = await edge.newKey({ scopes: [scope ?? EVERY_SCOPE] })
      const { status } = await edge.ask(filled(path), { ...ask, key: own.key })
      assert.ok(status !== 401 && status !== 403, `${nameOf(operation)}: ${status}`)
    }
  })

  test('is not reached by another spelling of its address', async () => {
    for (const operation of closed) {
      const path = filled(operation.path)
      const [, first = '', ...rest] = path.split('/')
      const spellings = [
        `/${path}`,
        path.replace(/\/([^/]*)$/, '//$1'),
        `${path}/`,
        `/./${path.slice(1)}`,
        `/x/..${path}`,
        `/%2e${path}`,
        `/x/%2e%2e${path}`,
        path.replace('/', '/%2f'),
        `/%${first.charCodeAt(0).toString(16)}${first.slice(1)}/${rest.join('/')}`,
        path.toUpperCase(),
        `${path}%00`,
        `${path};a=b`,
      ]
      for (const spelling of spellings) {
        for (const method of [operation.method, 'HEAD']) {
          const { status, body } = await edge.raw(spelling, { method, key: null })
          const isClosed = status === 401 || status === 400 || (status === 403 && unauthorised(path) === 403)
          assert.ok(isClosed, `${method} ${spelling}: ${status} ${body.slice(0, 100)}`)
        }
      }
      const read = await edge.raw(path, { method: 'HEAD', key: null })
      // The page has an address that LibreTranslate's API has too, for another method.
      const isPage = path === '/translate' && read.headers['content-type']?.startsWith('text/html')
      assert.equal(read.status, isPage ? 200 : unauthorised(path), path)
    }
  })

  test('with an id gives nobody what is another’s', async () => {
    const mine = (await edge.newKey({ owner: 'mine' })).key
    const theirs = (await edge.newKey({ owner: 'theirs' })).key
    const make = await maker(edge, mine)
    for (const operation of withId) {
      const name = nameOf(operation)
      if (COMMON.has(name) || ADMINISTERED.test(name)) continue
      const { path, none, body } = await make(name)
      const given = body instanceof FormData ? { form: body } : body !== undefined && { body }
      const ask = { method: operation.method, ...given, key: theirs }
      const refused = await edge.ask(path, ask)
      assert.equal(refused.status, 404, `${name}: ${refused.status}`)
      // What is another's is as if it had never been.
      const nobodys = await edge.ask(none, ask)
      assert.equal(nobodys.status, 404)
      const [theirsSay, nobodysSay] = [await refused.text(), await nobodys.text()]
      assert.equal(blanked(theirsSay), blanked(nobodysSay), name)
      const { status } = await edge.ask(path, { ...ask, key: mine })
      // A document may not be translated yet.
      const isThere = [200, 201, 204].includes(status) || (status === 503 && path.startsWith('/v2/document/'))
      assert.ok(isThere, `${name} of one’s own: ${status}`)
    }
  })

  test('takes no id of another’s in its body', async () => {
    const mine = (await edge.newKey({ owner: 'mine' })).key
    const theirs = (await edge.newKey({ owner: 'theirs' })).key
    const things = await thingsOf(edge, mine)
    for (const body of [
      { previous_response_id: things.response },
      { conversation: things.conversation },
      { conversation: { id: things.conversation, previous_item_id: things.item } },
    ]) {
      const response = await edge.ask('/v1/responses', { body: { model: 'stub', input: 'x', ...body }, key: theirs })
      assert.equal(response.status, 404, JSON.stringify(body))
    }
    for (const files of [{ training_file: things.file }, { validation_file: things.file }]) {
      const own = (await thingsOf(edge, theirs)).file
      const body = { model: 'vae', method: { type: 'vae' }, training_file: own, ...files }
      const response = await edge.ask('/v1/fine_tuning/jobs', { body, key: theirs })
      assert.equal(response.status, 404, JSON.stringify(files))
    }
    const own = await thingsOf(edge, theirs)
    for (const [path, body] of [
      [`/v1/conversations/${own.conversation}/branch`, { item_id: things.item }],
      [`/v1/conversations/${own.conversation}/head`, { item_id: things.item }],
      [
        `/v1/conversations/${own.conversation}/items`,
        { items: [{ role: 'user', content: 'x' }], previous_item_id: things.item },
      ],
    ] as const) {
      const { status } = await edge.ask(path, { body, key: theirs })
      assert.ok(status === 404 || status === 400, `${path}: ${status}`)
    }
  })
})

/** Without ids, which differ. */
const blanked = (text: string) =>
  text
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]+){4}\b/g, '·')
    .replaceAll(/\b(?:conv|msg|resp|share|key|file|upload|ftjob|ft|doc|none)[_:-]?[0-9a-zA-Z:]*/g, '·')

function form(fields: Readonly<Record<string, string | Blob>>, filename?: string): FormData {
  const data = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string' || filename === undefined) data.append(name, value)
    else data.append(name, value, filename)
  }
  return data
}

interface Things {
  readonly conversation: string
  readonly item: string
  readonly response: string
  readonly share: string
  readonly file: string
  readonly upload: string
  readonly part: string
  readonly job: string
  readonly model: string
  readonly modelFile: string
  readonly glossary: string
  readonly document: string
  readonly documentKey: string
}

const PAIR = '?source_lang=en&target_lang=fr'
const QUERIES: Readonly<Record<string, string>> = {
  'GET /v1/conversations/{id}/export': '?format=json',
  'GET /v3/glossaries/{id}/entries': PAIR,
  'DELETE /v3/glossaries/{id}/dictionaries': PAIR,
}
const ENTRIES = { entries: 'a\tb', entries_format: 'tsv' }

/** One of each kind. */
async function thingsOf(edge: Edge, key: string): Promise<Things> {
  const post = async (path: string, body: object) => {
    const response = await edge.ask(path, { body, key })
    assert.equal(response.status, 200, await response.clone().text())
    return (await response.json()) as { id: string; data?: { id: string }[] }
  }
  const conversation = await post('/v1/conversations', {})
  const path = `/v1/conversations/${conversation.id}`
  const items = await post(`${path}/items`, { items: [{ role: 'user', content: 'A secret' }] })
  const share = await post(`${path}/share`, {})
  const response = await post('/v1/responses', { model: 'stub', input: 'A secret' })
  const [item] = items.data ?? []
  const send = async (path: string, fields: Readonly<Record<string, string | Blob>>) => {
    const answer = await edge.ask(path, { form: form(fields), key })
    assert.equal(answer.status, 200, await answer.clone().text())
    return (await answer.json()) as { id: string }
  }
  const file = await send('/v1/files', { file: new Blob(['PK\x03\x04, as a zip begins']), purpose: 'fine-tune' })
  const upload = await post('/v1/uploads', { bytes: 4, filename: 'a', mime_type: 'text/csv', purpose: 'fine-tune' })
  const part = await send(`/v1/uploads/${upload.id}/parts`, { data: new Blob(['a,b\n']) })
  // An owner's jobs are few, and these make many.
  await edge.database.prepare('DELETE FROM training_jobs').run()
  const method = { type: 'vae' }
  const job = await post('/v1/fine_tuning/jobs', { model: 'vae', training_file: file.id, method })
  const model = `ft:vae::${job.id.slice(-12)}`
  await edge.database
    .prepare(
      `INSERT INTO trained_models (id, owner, manifest)
       SELECT ?, owner, json_object('id', ?, 'parts', json_object()) FROM training_jobs WHERE id = ?`,
    )
    .bind(model, model, job.id)
    .run()
  const modelFile = 'ab'.repeat(32)
  await needFile(edge.database, model, modelFile)
  await edge.putObject(`models/${modelFile}`, 'A secret')
  const ids = { modelFile, file: file.id, upload: upload.id, part: part.id, job: job.id, model }
  const pair = { source_lang: 'en', target_lang: 'fr' }
  const glossary = await edge.ask('/v2/glossaries', { body: { name: 'A secret', ...pair, ...ENTRIES }, key })
  assert.equal(glossary.status, 201, await glossary.clone().text())
  const { glossary_id } = (await glossary.json()) as { glossary_id: string }
  const text = { target_lang: 'FR', file: new Blob(['A secret']) }
  const sent = await edge.ask('/v2/document', { form: form(text, 'a.txt'), key })
  assert.equal(sent.status, 200, await sent.clone().text())
  const document = (await sent.json()) as { document_id: string; document_key: string }
  return {
    ...ids,
    document: document.document_id,
    documentKey: document.document_key,
    glossary: glossary_id,
    conversation: conversation.id,
    item: item?.id ?? '',
    response: response.id,
    share: share.id,
  }
}

/** How each operation with an id is asked for: a new operation has to find its place here. */
async function maker(edge: Edge, key: string) {
  return async (name: string): Promise<{ path: string; none: string; body: object | undefined }> => {
    const things = await thingsOf(edge, key)
    const [, path = ''] = name.split(' ')
    const kind = path.split('/')[2] ?? ''
    const ids: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      conversations: { id: things.conversation, item_id: things.item, share_id: things.share },
      responses: { id: things.response },
      files: { id: things.file },
      uploads: { id: things.upload },
      fine_tuning: { id: things.job },
      models: { id: things.model, sha256: things.modelFile },
      glossaries: { id: things.glossary },
      document: { id: things.document },
    }
    const bodies: Readonly<Record<string, object>> = {
      'POST /v1/conversations/{id}': { metadata: {} },
      'POST /v1/conversations/{id}/items': { items: [{ role: 'user', content: 'x' }] },
      'POST /v1/conversations/{id}/branch': { item_id: things.item },
      'POST /v1/conversations/{id}/head': { item_id: things.item },
      'POST /v1/conversations/{id}/share': {},
      'POST /v1/responses/{id}/cancel': {},
      'POST /v1/uploads/{id}/parts': form({ data: new Blob(['x']) }),
      'POST /v1/uploads/{id}/complete': { part_ids: [things.part] },
      'POST /v1/uploads/{id}/cancel': {},
      'POST /v2/document/{id}': { document_key: things.documentKey },
      'POST /v2/document/{id}/result': { document_key: things.documentKey },
      'POST /v2/document/{id}/cancel': { document_key: things.documentKey },
      'PATCH /v3/glossaries/{id}': { name: 'Another' },
      'PUT /v3/glossaries/{id}/dictionaries': { source_lang: 'en', target_lang: 'fr', ...ENTRIES },
      'POST /v1/fine_tuning/jobs/{id}/pause': {},
      'POST /v1/fine_tuning/jobs/{id}/resume': {},
      'POST /v1/fine_tuning/jobs/{id}/cancel': {},
    }
    const known = ids[kind]
    assert.ok(known, `${name} is new: say here how what it names is made`)
    const fill = (change: (id: string) => string) =>
      path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => {
        const id = known[parameter]
        assert.ok(id, `${name} has a new parameter '${parameter}'`)
        return change(id)
      })
    const query = QUERIES[name] ?? ''
    const none = fill((id) => id.slice(0, -6) + '0'.repeat(6))
    assert.ok(!/^(?:POST|PUT|PATCH) /.test(name) || bodies[name], `${name} is new: say here what it takes`)
    return { path: fill((id) => id) + query, none: none + query, body: bodies[name] }
  }
}

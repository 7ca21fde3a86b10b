import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createApp, operations } from '../app.ts'
import { PAGE_ADDRESSES } from '../middleware/public-routes.ts'
import { MODEL_FILE_PATH } from '../routes/model-files.ts'
import { RUNNER_JOB_ROUTES } from '../routes/runner-jobs.ts'
import { HEARTBEAT_PATH } from '../routes/runners.ts'
import { type Edge, startEdge } from '../testing/edge.ts'

interface Document {
  openapi: string
  paths: Record<
    string,
    Record<
      string,
      { security: unknown[]; requestBody?: { content: Record<string, { schema: { properties: object } }> } }
    >
  >
}

describe('the documents', () => {
  let edge: Edge
  let document: Document
  before(async () => {
    edge = await startEdge()
    document = (await (await edge.ask('/openapi.json', { key: null })).json()) as Document
  })
  after(() => edge.stop())

  it('describe exactly what the router has', () => {
    const others = new Set<string>([
      HEARTBEAT_PATH,
      MODEL_FILE_PATH,
      ...RUNNER_JOB_ROUTES.map(([, path]) => path),
      '/assets/*',
      '/models/:file',
      '/favicon.ico',
      '/favicon.svg',
      '/favicon.png',
      '/robots.txt',
    ])
    // At one of them other methods are LibreTranslate's.
    const isPage = (method: string, path: string) =>
      method === 'GET' && PAGE_ADDRESSES.some((address) => address === path)
    const routed = createApp()
      .routes.filter(({ method, path }) => method !== 'ALL' && !others.has(path) && !isPage(method, path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    assert.equal(document.openapi, '3.1.0')
    assert.deepEqual(described.sort(), routed.sort())
  })

  it('name every parameter of a chat request', () => {
    const { requestBody } = document.paths['/v1/chat/completions']?.post ?? {}
    const properties = Object.keys(requestBody?.content['application/json']?.schema.properties ?? {})
    for (const name of ['model', 'messages', 'temperature', 'n', 'tools', 'user'])
      assert.ok(properties.includes(name), name)
  })

  it('say what needs a key', () => {
    assert.deepEqual(document.paths['/health']?.get?.security, [])
    assert.deepEqual(document.paths['/v1/models']?.get?.security, [{ key: ['models'] }])
  })

  it('can be read by people, without a script or anything from elsewhere', async () => {
    const response = await edge.ask('/docs', { key: null })
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/)
    const text = await response.text()
    for (const { method, path } of operations) assert.ok(text.includes(path) && text.includes(method))
    assert.ok(text.includes(`curl ${edge.url}/v1/chat/completions`))
    assert.ok(!/<script|style=|<style|\son\w+=|(?:src|href)="(?:https?:)?\/\//.test(text))
    assert.equal(
      (await edge.ask('/docs/style.css', { key: null })).headers.get('content-type'),
      'text/css; charset=utf-8',
    )
  })
})

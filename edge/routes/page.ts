/** The page: its files from the static assets, and its addresses, which all open the same document. */
import { ApiError } from '#protocol/error.ts'
import type { EdgeContext } from '../context.ts'

const FOR_EVER = 'public, max-age=31536000, immutable'
/** A worker goes by its own file's policy: this one may compile WebAssembly, which the page may not. */
const MODEL_WORKER = /^\/assets\/model-worker-[A-Za-z0-9_-]+\.js$/
const MODEL_WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"

export async function document(c: EdgeContext): Promise<Response> {
  const response = await file(c, '/index.html', 'no-cache')
  // A link that somebody was given is for them, not for a search engine.
  if (c.req.path.startsWith('/shared/')) response.headers.set('x-robots-tag', 'noindex, nofollow')
  return response
}

/** A file that has its contents' hash in its name. */
export async function hashedFile(c: EdgeContext): Promise<Response> {
  const response = await file(c, c.req.path, FOR_EVER)
  if (MODEL_WORKER.test(c.req.path)) response.headers.set('content-security-policy', MODEL_WORKER_POLICY)
  return response
}

export async function plainFile(c: EdgeContext): Promise<Response> {
  return file(c, c.req.path, 'no-cache')
}

async function file(c: EdgeContext, path: string, cacheControl: string): Promise<Response> {
  const url = new URL(path, c.req.url).href
  const found = await c.env.ASSETS.fetch(url, { method: c.req.method, headers: conditional(c) })
  if (found.status === 404) throw new ApiError('not_found', `There is no file '${path.slice(0, 100)}'.`)
  const response = new Response(found.body, found)
  response.headers.set('cache-control', cacheControl)
  return response
}

/** Lets the asset answer 304; nothing else of the request is its business. */
function conditional(c: EdgeContext): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of ['if-none-match', 'if-modified-since']) {
    const value = c.req.header(name)
    if (value !== undefined) headers[name] = value
  }
  return headers
}

/** A server of one file over HTTP, on loopback, that can be told to misbehave. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Behaviour {
  readonly content: Uint8Array
  readonly etag?: string
  /** Breaks the connection after so many bytes of the body. */
  readonly cutAfter?: number
  /** Sends nothing more after so many bytes of the body, and keeps the connection. */
  readonly stallAfter?: number
  /** Never answers. */
  readonly silent?: boolean
  readonly status?: number
}

export interface ModelServer extends AsyncDisposable {
  readonly url: string
  behaviour: Behaviour
  /** The `range` header of each request. */
  readonly ranges: (string | undefined)[]
  /** What was asked for by each. */
  readonly paths: (string | undefined)[]
  /** Resolves at the next request whose answer has begun to flow, or stalls. */
  flowing(): Promise<void>
}

export async function serveModel(behaviour: Behaviour): Promise<ModelServer> {
  let onFlow = () => {}
  const served: ModelServer = {
    url: '',
    behaviour,
    ranges: [],
    paths: [],
    flowing: () => new Promise((resolve) => (onFlow = resolve)),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  const server = createServer((request, response) => {
    served.ranges.push(request.headers.range)
    served.paths.push(request.url)
    if (served.behaviour.silent) return onFlow()
    answer(served.behaviour, request, response, () => onFlow())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(served, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.gguf` })
}

function answer(behaviour: Behaviour, request: IncomingMessage, response: ServerResponse, flows: () => void): void {
  const { content, etag = '"v1"', status, cutAfter, stallAfter } = behaviour
  if (status !== undefined) return void response.writeHead(status).end()
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')
  const from = asked && request.headers['if-range'] === etag ? Number(asked[1]) : 0
  if (from >= content.length)
    return void response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end()
  const body = content.subarray(from)
  const range = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }
  response.writeHead(from > 0 ? 206 : 200, { etag, 'content-length': body.length, ...(from > 0 && range) })
  const stop = cutAfter ?? stallAfter
  if (stop === undefined) return void response.end(body, flows)
  response.write(body.subarray(0, stop), () => {
    flows()
    if (cutAfter !== undefined) response.destroy()
  })
}

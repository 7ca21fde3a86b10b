import { key, url } from './shared.ts'

/** `body` is sent as it is. */
export function post(body: string | ReadableStream<Uint8Array>): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body,
    duplex: 'half',
  })
}

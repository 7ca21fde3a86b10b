/** Pulls a file over HTTP into a partial file, going on from where an earlier pull of the same file stopped. */
import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface HttpPull {
  readonly url: string
  /** Where the bytes go; kept when the pull fails, for the next one. */
  readonly part: string
  readonly size: number
  readonly onBytes: (received: number) => void
  readonly signal: AbortSignal
  /** Gives up when nothing has come for so long. */
  readonly stallMs: number
}

/** Throws what `fetch` throws, or an Error that says what the server answered. */
export async function pullHttp({ url, part, size, onBytes, signal, stallMs }: HttpPull): Promise<void> {
  const held = await stat(part).then((file) => file.size, () => 0)
  const from = held < size ? held : 0
  const stalled = new AbortController()
  let timer = setTimeout(() => {}, 0)
  const watch = () => {
    clearTimeout(timer)
    timer = setTimeout(() => stalled.abort(new Error(`nothing came for ${stallMs / 1000} s`)), stallMs)
  }
  watch()
  try {
    const headers = from > 0 ? { range: `bytes=${from}-` } : {}
    const response = await fetch(withHubEndpoint(url), {
      headers: { ...headers, ...hubToken(url), 'accept-encoding': 'identity' },
      signal: AbortSignal.any([signal, stalled.signal]),
    })
    const resumed = response.status === 206 && startOf(response) === from
    if (!(response.status === 200 || resumed) || !response.body) {
      await response.body?.cancel()
      throw new Error(`the server answered ${response.status} ${response.statusText}`.trim())
    }
    let received = resumed ? from : 0
    const count = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        watch()
        received += chunk.length
        if (received > size) throw new Error(`the server sent more than the ${size} bytes that are due`)
        onBytes(received)
        yield chunk
      }
    }
    const flags = resumed ? 'a' : 'w'
    await pipeline(Readable.fromWeb(response.body), count, createWriteStream(part, { flags }))
    if (received < size) throw new Error(`the connection ended after ${received} of ${size} bytes`)
  } finally {
    clearTimeout(timer)
  }
}

/** The first byte of a partial answer: `content-range: bytes 5-9/10`. */
function startOf(response: Response): number | undefined {
  const match = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')
  return match ? Number(match[1]) : undefined
}

const HUB = 'https://huggingface.co'
/** `HF_ENDPOINT` names a mirror of the hub, as for the hub's own tools. */
function withHubEndpoint(url: string): string {
  const mirror = process.env.HF_ENDPOINT?.replace(/\/$/, '')
  return mirror && url.startsWith(`${HUB}/`) ? mirror + url.slice(HUB.length) : url
}

/** `HF_TOKEN` opens gated models; it goes to the hub alone. */
function hubToken(url: string): Record<string, string> {
  const token = process.env.HF_TOKEN
  return token && url.startsWith(`${HUB}/`) ? { authorization: `Bearer ${token}` } : {}
}

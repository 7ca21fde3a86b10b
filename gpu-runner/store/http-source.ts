/**
 * Pulls a file over HTTP into a partial file. A pull that broke off is gone on with when the server still has the same
 * file (RFC 9110: `Range` with `If-Range`, sections 13.1.5 and 14); which one it was is noted beside the partial file.
 */
import { createWriteStream } from 'node:fs'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import * as v from 'valibot'

export interface HttpPull {
  readonly url: string
  /** Where the bytes go; kept when the pull fails, for the next one. */
  readonly part: string
  readonly size: number
  readonly onBytes: (received: number) => void
  readonly signal: AbortSignal
  readonly timeouts: HttpTimeouts
}
export interface HttpTimeouts {
  /** Until the server answers. */
  readonly answerMs: number
  /** Between one piece of the file and the next. */
  readonly stallMs: number
}

/** Beside the partial file: what it is a part of. */
export const validatorPath = (part: string) => `${part}.from`
const validatorSchema = v.object({ url: v.string(), etag: v.string() })

/** Throws what `fetch` throws, or an Error that says what the server answered. */
export async function pullHttp(pull: HttpPull): Promise<void> {
  const { part, size, onBytes, signal, timeouts } = pull
  const url = withHubEndpoint(pull.url)
  const held = await heldPart(part, url)
  if (held?.bytes === size) return onBytes(size)
  const watch = watchdog(timeouts)
  try {
    const headers: Record<string, string> = { ...hubToken(pull.url), 'accept-encoding': 'identity' }
    if (held) Object.assign(headers, { range: `bytes=${held.bytes}-`, 'if-range': held.etag })
    const response = await fetch(url, { headers, signal: AbortSignal.any([signal, watch.signal]) })
    watch.alive()
    const from = firstByte(response, held?.bytes)
    if (from === undefined || !response.body) {
      await response.body?.cancel()
      // What is held may be why, as after a 416: the next pull begins anew.
      if (held) await rm(part, { force: true })
      throw new Error(`the server answered ${response.status} ${response.statusText}`.trim())
    }
    const announced = from + Number(response.headers.get('content-length') ?? size - from)
    if (announced !== size) {
      await response.body.cancel()
      throw new Error(`the server's file has ${announced} bytes, not ${size}`)
    }
    if (from === 0) await noteValidator(part, url, response.headers.get('etag'))
    let received = from
    const count = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        watch.alive()
        received += chunk.length
        if (received > size) throw new Error(`the server sent more than the ${size} bytes that are due`)
        onBytes(received)
        yield chunk
      }
    }
    await pipeline(Readable.fromWeb(response.body), count, createWriteStream(part, { flags: from > 0 ? 'a' : 'w' }))
    if (received < size) throw new Error(`the connection ended after ${received} of ${size} bytes`)
  } finally {
    watch.end()
  }
}

/** What an earlier pull of the same file left, if it can be gone on with; anything else is removed. */
async function heldPart(part: string, url: string): Promise<{ bytes: number; etag: string } | undefined> {
  const bytes = await stat(part).then(
    (file) => file.size,
    () => 0,
  )
  const text = await readFile(validatorPath(part), 'utf8').catch(() => '')
  const noted = v.safeParse(v.pipe(v.string(), v.parseJson(), validatorSchema), text)
  if (bytes > 0 && noted.success && noted.output.url === url) return { bytes, etag: noted.output.etag }
  await rm(part, { force: true })
  return undefined
}

/** Only a strong validator says that two answers are the same, byte for byte. */
async function noteValidator(part: string, url: string, etag: string | null): Promise<void> {
  if (etag?.startsWith('"')) await writeFile(validatorPath(part), JSON.stringify({ url, etag }))
  else await rm(validatorPath(part), { force: true })
}

/** Where the answer's body begins in the file; undefined if it is no part of it that can be used. */
function firstByte(response: Response, held: number | undefined): number | undefined {
  if (response.status === 200) return 0
  if (response.status !== 206 || held === undefined) return undefined
  const match = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')
  return match && Number(match[1]) === held ? held : undefined
}

/** Aborts when nothing happens for too long: first until the server answers, then between the pieces of its answer. */
function watchdog({ answerMs, stallMs }: HttpTimeouts): { signal: AbortSignal; alive(): void; end(): void } {
  const controller = new AbortController()
  const after = (ms: number, what: string) =>
    setTimeout(() => controller.abort(new Error(`${what} for ${ms / 1000} s`)), ms)
  let timer = after(answerMs, 'the server did not answer')
  return {
    signal: controller.signal,
    alive() {
      clearTimeout(timer)
      timer = after(stallMs, 'nothing came')
    },
    end: () => clearTimeout(timer),
  }
}

export const HUB = 'https://huggingface.co'
/** `HF_ENDPOINT` names a mirror of the hub, as for the hub's own tools. */
export function withHubEndpoint(url: string): string {
  const mirror = process.env.HF_ENDPOINT?.replace(/\/$/, '')
  return mirror && url.startsWith(`${HUB}/`) ? mirror + url.slice(HUB.length) : url
}

/** `HF_TOKEN` opens gated models; it goes to the hub alone. */
export function hubToken(url: string): Record<string, string> {
  const token = process.env.HF_TOKEN
  return token && url.startsWith(`${HUB}/`) ? { authorization: `Bearer ${token}` } : {}
}

/**
 * Pictures that an answer gave the address of, for an hour. The name holds when that hour ends, so that the object store,
 * which lists names in order, lists the oldest first, and 256 random bits, so that nobody guesses it.
 */
import type { EdgeContext } from '../context.ts'
import type { Bindings } from '../env.ts'
import { logFailure } from '../http/log.ts'
import { fromBase64 } from './base64.ts'
import { ownOrigin } from '../sessions/origin.ts'
import { randomSecret } from '../storage/secrets.ts'

type ImageFormat = 'png' | 'webp'

const FOLDER = 'images/'
const LIFETIME_SECONDS = 3600
/** Taken away with each picture that is put in: more than come. */
const MOST_SWEPT = 100
const NAME = /^(\d{10})-[\w-]{43}\.(png|webp)$/

const seconds = () => Math.floor(Date.now() / 1000)

/**
 * What an answer says of a picture: itself, or its address, which needs no key.
 * @param file in base64
 */
export async function told(
  c: EdgeContext,
  { file, format }: { readonly file: string; readonly format: ImageFormat },
  as: 'b64_json' | 'url',
): Promise<{ b64_json: string } | { url: string }> {
  if (as === 'b64_json') return { b64_json: file }
  const bytes = fromBase64(file)
  if (!bytes) throw new TypeError('a picture is not in base64')
  return { url: await store(c, bytes, format) }
}

async function store(c: EdgeContext, bytes: Uint8Array, format: ImageFormat): Promise<string> {
  const name = `${seconds() + LIFETIME_SECONDS}-${randomSecret()}.${format}`
  await c.env.OBJECTS.put(FOLDER + name, bytes)
  c.executionCtx.waitUntil(
    sweep(c.env).catch((error: unknown) =>
      logFailure({ requestId: c.get('requestId'), method: c.req.method, route: c.req.routePath }, error),
    ),
  )
  return `${ownOrigin(c.req.raw)}/v1/images/files/${name}`
}

/** Null if there is none, or not any more. */
export async function storedImage(
  env: Bindings,
  name: string,
): Promise<{ bytes: ArrayBuffer; format: ImageFormat; secondsLeft: number } | null> {
  const [, until, format] = NAME.exec(name) ?? []
  if (until === undefined) return null
  const secondsLeft = Number(until) - seconds()
  if (secondsLeft <= 0) {
    await env.OBJECTS.delete(FOLDER + name)
    return null
  }
  const object = await env.OBJECTS.get(FOLDER + name)
  return object && { bytes: await object.arrayBuffer(), format: format === 'png' ? 'png' : 'webp', secondsLeft }
}

/** Takes away those whose hour has ended. */
async function sweep(env: Bindings): Promise<void> {
  const { objects } = await env.OBJECTS.list({ prefix: FOLDER, limit: MOST_SWEPT })
  const now = seconds()
  const over = objects.map(({ key }) => key).filter((key) => Number(key.slice(FOLDER.length).split('-')[0]) <= now)
  if (over.length > 0) await env.OBJECTS.delete(over)
}

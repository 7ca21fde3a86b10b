/** `POST /images`: see `protocol/image-work.ts`. A closed connection ends what has not been drawn yet. */
import { type DrawnImages, imageWorkSchema } from '#protocol/image-work.ts'
import type { ImageClient } from '../images/image-client.ts'
import { type Exchange, readValid, sendJson } from './server.ts'

export function images(client: Pick<ImageClient, 'draw'>): (exchange: Exchange) => Promise<void> {
  return async ({ request, response }) => {
    const asked = await readValid(request, imageWorkSchema)
    const started = performance.now()
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const drawn = await client.draw(asked, gone.signal)
    const ms = Math.round(performance.now() - started)
    const line = { event: 'images', request: request.headers['x-request-id'], n: drawn.length, ms }
    console.log(JSON.stringify({ level: 'info', ...line }))
    sendJson(response, 200, { images: [...drawn] } satisfies DrawnImages)
  }
}

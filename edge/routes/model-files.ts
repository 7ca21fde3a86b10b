/** `GET /internal/models/{sha256}`: published models' files, for runners. Not part of the API. */
import { ApiError } from '#protocol/error.ts'
import { modelFilePath } from '#protocol/published-model.ts'
import type { EdgeContext } from '../context.ts'
import { requireRunner } from '../runners/require-runner.ts'

export const MODEL_FILE_PATH = modelFilePath(':sha256')

/** @throws ApiError 401 for anyone else, 404 */
export async function sendModelFile(c: EdgeContext): Promise<Response> {
  await requireRunner(c)
  const sha256 = c.req.param('sha256')
  const object = await c.env.OBJECTS.get(`models/${sha256}`)
  if (!object) throw new ApiError('not_found', `There is no file ${sha256}.`)
  return new Response(object.body, {
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(object.size),
      'cache-control': 'no-store',
    },
  })
}

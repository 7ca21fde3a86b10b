/** `GET /v1/images/files/{name}`: a picture whose address an answer gave. */
import { ApiError } from '#protocol/error.ts'
import { storedImage } from '../images/stored-images.ts'
import type { Operation } from './operation.ts'

export const imageFileOperation: Operation = {
  method: 'GET',
  path: '/v1/images/files/{name}',
  scope: null,
  tag: 'Images',
  summary: 'Read a picture by its address',
  description: 'What `response_format: "url"` gave the address of. It needs no key, and is gone after an hour.',
  answer: { description: 'The picture', contentType: 'image/png' },
  errors: ['not_found'],
  async handle(c) {
    const name = c.req.param('name') ?? ''
    const image = await storedImage(c.env, name)
    if (!image) throw new ApiError('not_found', 'There is no such picture, or not any more.')
    return new Response(image.bytes, {
      headers: {
        'content-type': `image/${image.format}`,
        'cache-control': `private, max-age=${image.secondsLeft}, immutable`,
        // Whatever the file holds, nothing in it runs; and other sites may show it.
        'content-security-policy': "sandbox; default-src 'none'",
        'cross-origin-resource-policy': 'cross-origin',
      },
    })
  },
}

/** `POST /tokenizers`: see `protocol/generation.ts`. */
import { type TokenizerReply, tokenizerRequestSchema } from '#protocol/generation.ts'
import { type Exchange, readValid, sendJson } from './server.ts'

/** @param find the model of that name; throws ApiError if there is none, or not yet */
export function tokenizers(
  find: (model: string) => { readonly tokenizerMetadata: TokenizerReply },
): (exchange: Exchange) => Promise<void> {
  return async ({ request, response }) => {
    const asked = await readValid(request, tokenizerRequestSchema)
    sendJson(response, 200, find(asked.model).tokenizerMetadata)
  }
}

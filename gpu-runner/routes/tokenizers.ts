/** `POST /tokenizers`: see `protocol/generation.ts`. */
import * as v from 'valibot'
import { ApiError } from '#protocol/error.ts'
import { type TokenizerReply, tokenizerRequestSchema } from '#protocol/generation.ts'
import { type Exchange, readJson, sendJson } from './server.ts'

/** @param find the model of that name; throws ApiError if there is none, or not yet */
export function tokenizers(
  find: (model: string) => { readonly tokenizerMetadata: TokenizerReply },
): (exchange: Exchange) => Promise<void> {
  return async ({ request, response }) => {
    const parsed = v.safeParse(tokenizerRequestSchema, await readJson(request))
    if (!parsed.success) throw new ApiError('invalid_value', parsed.issues[0].message)
    sendJson(response, 200, find(parsed.output.model).tokenizerMetadata)
  }
}

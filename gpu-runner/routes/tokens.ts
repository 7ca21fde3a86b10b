/** `POST /tokens`: see `protocol/generation.ts`. */
import * as v from 'valibot'
import { ApiError } from '#protocol/error.ts'
import { type TokensReply, tokensRequestSchema } from '#protocol/generation.ts'
import type { ChatModel } from '../chat-model.ts'
import { type Exchange, readJson, sendJson } from './server.ts'

/** @param find the model of that name; throws ApiError if there is none, or not yet */
export function tokens(find: (model: string) => ChatModel): (exchange: Exchange) => Promise<void> {
  return async ({ request, response }) => {
    const parsed = v.safeParse(tokensRequestSchema, await readJson(request))
    if (!parsed.success) {
      const [issue] = parsed.issues
      throw new ApiError('invalid_value', issue.message, { param: v.getDotPath(issue) ?? undefined })
    }
    const { model: name, input } = parsed.output
    const model = find(name)
    const found = input.type === 'decode' ? input.tokens : model.tokenize(input)
    const { contextLength } = model.info
    sendJson(response, 200, { tokens: found, text: model.detokenize(found), contextLength } satisfies TokensReply)
  }
}

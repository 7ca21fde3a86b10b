/** `POST /tokens`: see `protocol/generation.ts`. */
import { type TokensReply, tokensRequestSchema } from '#protocol/generation.ts'
import type { ChatModel } from '../chat-model.ts'
import { type Exchange, readValid, sendJson } from './server.ts'

/** @param find the model of that name; throws ApiError if there is none, or not yet */
export function tokens(find: (model: string) => ChatModel): (exchange: Exchange) => Promise<void> {
  return async ({ request, response }) => {
    const { model: name, input } = await readValid(request, tokensRequestSchema)
    const model = find(name)
    const found = input.type === 'decode' ? input.tokens : model.tokenize(input)
    const { contextLength } = model.info
    sendJson(response, 200, { tokens: found, text: model.detokenize(found), contextLength } satisfies TokensReply)
  }
}

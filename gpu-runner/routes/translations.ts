/** `POST /translate`: see `protocol/translation.ts`. A closed connection ends it between two tokens. */
import { translateRequestSchema } from '#protocol/translation.ts'
import type { TranslationModels } from '../translation-models.ts'
import { type Exchange, readValid, sendJson } from './server.ts'

export function translations(models: Pick<TranslationModels, 'translate'>): (exchange: Exchange) => Promise<void> {
  return async ({ request, response }) => {
    const asked = await readValid(request, translateRequestSchema)
    const started = performance.now()
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      const reply = await models.translate(asked, gone.signal)
      const ms = Math.round(performance.now() - started)
      const tokens = reply.translations.reduce((sum, translation) => sum + translation.tokens, 0)
      const line = { event: 'translations', request: request.headers['x-request-id'], tokens, ms }
      console.log(JSON.stringify({ level: 'info', ...line }))
      sendJson(response, 200, reply)
    } catch (error) {
      // Nobody is left to be told.
      if (!gone.signal.aborted) throw error
    }
  }
}

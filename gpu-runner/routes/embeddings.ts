/** `POST /embeddings`: see `protocol/embeddings.ts`. */
import { type EmbeddingsReply, embeddingsRequestSchema } from '#protocol/embeddings.ts'
import type { EmbeddingModel } from '../embedding-model.ts'
import type { Metrics } from '../metrics.ts'
import { type Exchange, readValid, sendJson } from './server.ts'

/** @param find the model of that name; throws ApiError if there is none, or not yet */
export function embeddings(
  find: (model: string) => EmbeddingModel,
  metrics: Metrics,
): (exchange: Exchange) => Promise<void> {
  return async ({ request, response }) => {
    const { model: name, ...asked } = await readValid(request, embeddingsRequestSchema)
    const { engine, info } = find(name)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const done = metrics.followEmbeddings(info.id)
    try {
      const { vectors, dimensions, tokens } = await engine.embed(asked, gone.signal)
      done('stop', tokens)
      const { buffer, byteOffset, byteLength } = vectors
      const base64 = Buffer.from(buffer, byteOffset, byteLength).toString('base64')
      sendJson(response, 200, { model: info.id, dimensions, tokens, vectors: base64 } satisfies EmbeddingsReply)
    } catch (error) {
      done(gone.signal.aborted ? 'cancelled' : 'error', 0)
      // Nobody is left to be told.
      if (!gone.signal.aborted) throw error
    }
  }
}

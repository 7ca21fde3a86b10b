/** Between OpenAI's embeddings and a runner's. */
import type { EmbeddingAnswer, EmbeddingRequest, EmbeddingsReply } from '#protocol/embeddings.ts'
import { ApiError } from '#protocol/error.ts'
import { fromBase64, toBase64 } from '../images/base64.ts'

const FLOAT_BYTES = 4

/** What is to be embedded, in order. */
export function inputsOf({ input }: EmbeddingRequest): (string | number[])[] {
  if (typeof input === 'string') return [input]
  return isTokens(input) ? [input] : input
}

function isTokens(input: Exclude<EmbeddingRequest['input'], string>): input is number[] {
  return typeof input[0] === 'number'
}

/** @throws ApiError `runner_failed` if there are not as many numbers as there have to be */
export function renderEmbeddings(
  { model, dimensions, tokens, vectors }: EmbeddingsReply,
  inputs: number,
  format: EmbeddingRequest['encoding_format'],
): EmbeddingAnswer {
  const bytes = fromBase64(vectors)
  const width = dimensions * FLOAT_BYTES
  if (bytes?.length !== inputs * width) {
    throw new ApiError('runner_failed', `The runner's vectors are not ${inputs} of ${dimensions} numbers.`)
  }
  const render = format === 'base64' ? toBase64 : toNumbers
  const data = Array.from({ length: inputs }, (_, index) => ({
    object: 'embedding' as const,
    index,
    embedding: render(bytes.subarray(index * width, (index + 1) * width)),
  }))
  return { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } }
}

function toNumbers(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / FLOAT_BYTES }, (_, i) => view.getFloat32(i * FLOAT_BYTES, true))
}

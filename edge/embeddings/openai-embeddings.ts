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

/** @throws as `vectorsOf` */
export function renderEmbeddings(
  reply: EmbeddingsReply,
  inputs: number,
  format: EmbeddingRequest['encoding_format'],
): EmbeddingAnswer {
  const data = vectorsOf(reply, inputs).map((vector, index) => ({
    object: 'embedding' as const,
    index,
    embedding: format === 'base64' ? toBase64(bytesOf(vector)) : [...vector],
  }))
  const { model, tokens } = reply
  return { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } }
}

/**
 * A vector for each input. They are little-endian, as is every processor that a Worker runs on.
 * @throws ApiError `runner_failed` if there are not as many numbers as there have to be
 */
export function vectorsOf({ dimensions, vectors }: EmbeddingsReply, inputs: number): Float32Array[] {
  const bytes = fromBase64(vectors)
  if (bytes?.length !== inputs * dimensions * FLOAT_BYTES) {
    throw new ApiError('runner_failed', `The runner's vectors are not ${inputs} of ${dimensions} numbers.`)
  }
  const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, inputs * dimensions)
  return Array.from({ length: inputs }, (_, i) => numbers.subarray(i * dimensions, (i + 1) * dimensions))
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength)

import type { CompletionRequest } from '#protocol/completions.ts'

/** What is honoured for both kinds of completions. */
export function toSampling(
  request: Pick<
    CompletionRequest,
    | 'temperature'
    | 'top_p'
    | 'top_k'
    | 'min_p'
    | 'typical_p'
    | 'repetition_penalty'
    | 'presence_penalty'
    | 'frequency_penalty'
    | 'logit_bias'
    | 'min_tokens'
    | 'ignore_eos'
    | 'seed'
    | 'stop'
  >,
) {
  return {
    temperature: request.temperature,
    topP: request.top_p,
    topK: request.top_k,
    minP: request.min_p,
    typicalP: request.typical_p,
    repetitionPenalty: request.repetition_penalty,
    presencePenalty: request.presence_penalty,
    frequencyPenalty: request.frequency_penalty,
    logitBias: Object.entries(request.logit_bias ?? {}).map(([token, bias]): [number, number] => [Number(token), bias]),
    minTokens: request.min_tokens,
    ignoreEos: request.ignore_eos,
    seed: request.seed ?? null,
    stop: typeof request.stop === 'string' ? [request.stop] : (request.stop ?? []),
  }
}

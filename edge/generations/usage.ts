/** What answers cost and how long they took, as OpenAI's API has it; several answers add up. */
import type { ChatTimings, ChatUsage } from '#protocol/chat.ts'
import type { GenerationEvent, Timings, Usage } from '#protocol/generation.ts'

export type FinishEvent = Extract<GenerationEvent, { type: 'generation-finish' }>

/** @param usages of the answers; those to the same prompt count it once */
export function toUsage(usages: readonly Usage[], prompts = 1): ChatUsage {
  const sum = (pick: (usage: Usage) => number) => usages.reduce((total, usage) => total + pick(usage), 0)
  const answersEach = Math.max(1, usages.length / prompts)
  const promptTokens = Math.round(sum((usage) => usage.promptTokens) / answersEach)
  const completionTokens = sum((usage) => usage.completionTokens)
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: usages[0]?.cachedTokens ?? 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}

export function toTimings({
  queueMs,
  promptMs,
  promptPerSecond,
  generationMs,
  generationPerSecond,
}: Timings): ChatTimings {
  return {
    queue_ms: queueMs,
    first_token_ms: queueMs + promptMs,
    prompt_ms: promptMs,
    prompt_per_second: promptPerSecond,
    generation_ms: generationMs,
    generation_per_second: generationPerSecond,
  }
}

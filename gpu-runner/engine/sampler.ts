/**
 * Chooses the next token from the logits. Temperature first, then the `topK` likeliest tokens, then the smallest set of
 * the likeliest that holds `topP` of the probability (nucleus sampling, https://arxiv.org/abs/1904.09751).
 */

export interface SamplingOptions {
  /** 0: the likeliest token. */
  readonly temperature: number
  readonly topP: number
  /** 0: no limit. */
  readonly topK: number
}

/**
 * @param logits [vocabulary]
 * @param random in [0, 1); not used when greedy
 */
export function sample(logits: Float32Array, { temperature, topP, topK }: SamplingOptions, random: number): number {
  const likeliest = argmax(logits)
  if (temperature === 0 || topK === 1 || topP === 0) return likeliest
  const peak = logits[likeliest] ?? 0
  const weight = (token: number) => Math.exp(((logits[token] ?? 0) - peak) / temperature)
  const limit = topK === 0 ? logits.length : Math.min(topK, logits.length)
  if (limit === logits.length && topP === 1) return drawFromAll(logits, weight, random)
  const tokens = nucleus(logits, peak, temperature, limit, topP, weight)
  return draw(tokens, weight, random)
}

/** The first of the greatest. */
export function argmax(logits: Float32Array): number {
  let best = 0
  let greatest = logits[0] ?? Number.NEGATIVE_INFINITY
  for (let i = 1; i < logits.length; i++) {
    const logit = logits[i] as number
    if (logit > greatest) {
      greatest = logit
      best = i
    }
  }
  return best
}

function drawFromAll(logits: Float32Array, weight: (token: number) => number, random: number): number {
  let total = 0
  for (let token = 0; token < logits.length; token++) total += weight(token)
  let left = random * total
  for (let token = 0; token < logits.length; token++) {
    left -= weight(token)
    if (left < 0) return token
  }
  return argmax(logits)
}

/**
 * The tokens to draw from, likeliest first. Only those within a margin of the peak are sorted; the margin widens until
 * it holds enough of the probability, or `limit` tokens.
 */
function nucleus(
  logits: Float32Array,
  peak: number,
  temperature: number,
  limit: number,
  topP: number,
  weight: (token: number) => number,
): number[] {
  let total = 0
  if (limit === logits.length) for (let token = 0; token < logits.length; token++) total += weight(token)
  for (let margin = 8 * temperature; ; margin *= 2) {
    const near: number[] = []
    for (let token = 0; token < logits.length; token++) {
      if ((logits[token] as number) >= peak - margin) near.push(token)
    }
    const whole = near.length === logits.length
    if (near.length < limit && limit < logits.length && !whole) continue
    near.sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b)
    near.length = Math.min(near.length, limit)
    const mass = limit === logits.length ? total : near.reduce((sum, token) => sum + weight(token), 0)
    let held = 0
    for (const [i, token] of near.entries()) {
      held += weight(token)
      if (held >= topP * mass) return near.slice(0, i + 1)
    }
    if (whole || limit < logits.length) return near
  }
}

function draw(tokens: readonly number[], weight: (token: number) => number, random: number): number {
  const total = tokens.reduce((sum, token) => sum + weight(token), 0)
  let left = random * total
  for (const token of tokens) {
    left -= weight(token)
    if (left < 0) return token
  }
  return tokens[0] as number
}

/** Learning rates by step. */

export interface Schedule {
  /** The highest rate. */
  readonly rate: number
  /** Steps of a straight line up to it. */
  readonly warmup?: number
  /** What it goes down to by the last step, along half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983). */
  readonly cosineTo?: number
}

/** @param step from 1 to `steps` */
export function rateAt({ rate, warmup = 0, cosineTo = rate }: Schedule, step: number, steps: number): number {
  if (step < warmup) return (rate * step) / warmup
  const share = steps > warmup ? (step - warmup) / (steps - warmup) : 1
  return cosineTo + (rate - cosineTo) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, share)))
}

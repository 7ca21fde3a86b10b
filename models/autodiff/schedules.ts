/** Learning rates by step. */

export interface Schedule {
  /** The highest rate. */
  readonly rate: number
  /** Steps of a straight line up to it. */
  readonly warmup?: number
  /** Share of the steps after those that are made at the highest rate. */
  readonly held?: number
  /** What it goes down to by the last step, along half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983). */
  readonly cosineTo?: number
}

/**
 * Up to the rate along a straight line, then the same for most of the time, and in the last share of the steps along a
 * straight line to nothing (Hägele et al. 2024, arXiv:2405.18392): until that begins, a run is the same however long it is.
 * @param step from 1 to `steps`
 */
export function trapezoidAt(
  { rate, warmup, decay }: { readonly rate: number; readonly warmup: number; readonly decay: number },
  step: number,
  steps: number,
): number {
  return rate * Math.min(1, step / warmup, (steps - step) / (decay * steps))
}

/** @param step from 1 to `steps` */
export function rateAt(schedule: Schedule, step: number, steps: number): number {
  const { rate, warmup = 0, held = 0, cosineTo = rate } = schedule
  if (step < warmup) return (rate * step) / warmup
  const begin = warmup + held * (steps - warmup)
  const share = steps > begin ? (step - begin) / (steps - begin) : 1
  return cosineTo + (rate - cosineTo) * 0.5 * (1 + Math.cos(Math.PI * Math.max(0, Math.min(1, share))))
}

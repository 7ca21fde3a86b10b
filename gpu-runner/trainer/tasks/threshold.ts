/** From scores of data in order to what counts as out of order. */

export interface Threshold {
  /** A score above it is an anomaly. */
  readonly threshold: number
  /** Scores at 0 %, 1 %, … 100 %, ascending. */
  readonly quantiles: number[]
}

/** @param alarms share of the scores that may lie above the threshold */
export function thresholdOf(scores: Float32Array, alarms: number): Threshold {
  const ascending = scores.slice().sort()
  return {
    threshold: quantile(ascending, 1 - alarms),
    quantiles: Array.from({ length: 101 }, (_, i) => quantile(ascending, i / 100)),
  }
}

/** Of ascending numbers, by linear interpolation. */
function quantile(ascending: Float32Array, share: number): number {
  const at = share * (ascending.length - 1)
  const [low, high] = [ascending[Math.floor(at)] ?? 0, ascending[Math.ceil(at)] ?? 0]
  return low + (high - low) * (at - Math.floor(at))
}

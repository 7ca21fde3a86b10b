/** How well scores tell anomalies from the rest. */

/** The area under the ROC curve: the chance that an anomaly scores above a normal one, ties counted half. */
export function rocAuc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = ascending(scores)
  let anomalies = 0
  let ranks = 0
  for (let i = 0; i < order.length; ) {
    let end = i
    while (end < order.length && scores[order[end] as number] === scores[order[i] as number]) end++
    for (let j = i; j < end; j++) {
      if (!labels[order[j] as number]) continue
      anomalies++
      // The mean rank, from 1, of those with the same score.
      ranks += (i + 1 + end) / 2
    }
    i = end
  }
  const normal = order.length - anomalies
  return (ranks - (anomalies * (anomalies + 1)) / 2) / (anomalies * normal)
}

/** Average precision: precision at each threshold, weighted by the recall that it adds. As scikit-learn has it. */
export function averagePrecision(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = ascending(scores).reverse()
  const total = order.reduce((sum, i) => sum + (labels[i] ? 1 : 0), 0)
  let found = 0
  let recall = 0
  let precision = 0
  for (let i = 0; i < order.length; ) {
    let end = i
    while (end < order.length && scores[order[end] as number] === scores[order[i] as number]) {
      if (labels[order[end] as number]) found++
      end++
    }
    precision += (found / end) * (found / total - recall)
    recall = found / total
    i = end
  }
  return precision
}

const ascending = (scores: ArrayLike<number>): Uint32Array =>
  Uint32Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0))

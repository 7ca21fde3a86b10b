/**
 * BLEU of a corpus (Papineni et al. 2002, https://aclanthology.org/P02-1040) as sacrebleu computes it by default (Post
 * 2018, https://aclanthology.org/W18-6319): tokens of mteval-v13a, one reference, orders 1 to 4, exponential smoothing.
 */
import { matches, ngrams, total } from './ngrams.ts'

const ORDERS = [1, 2, 3, 4] as const

/** @returns 0 to 100 */
export function bleu(hypotheses: readonly string[], references: readonly string[]): number {
  const stats = ORDERS.map(() => ({ correct: 0, total: 0 }))
  let [length, wantedLength] = [0, 0]
  for (const [i, hypothesis] of hypotheses.entries()) {
    const [found, wanted] = [tokens13a(hypothesis), tokens13a(references[i] ?? '')]
    length += found.length
    wantedLength += wanted.length
    for (const [k, order] of ORDERS.entries()) {
      const counts = ngrams(found, order, ' ')
      const stat = stats[k] as { correct: number; total: number }
      stat.correct += matches(counts, ngrams(wanted, order, ' '))
      stat.total += total(counts)
    }
  }
  if (stats.every(({ correct, total }) => correct === 0 || total === 0)) return 0
  const brevity = length < wantedLength ? Math.exp(1 - wantedLength / length) : 1
  let smoothing = 1
  const logs = stats.map(({ correct, total }) => {
    if (total === 0) return Number.NEGATIVE_INFINITY
    if (correct > 0) return Math.log((100 * correct) / total)
    smoothing *= 2
    return Math.log(100 / (smoothing * total))
  })
  return brevity * Math.exp(logs.reduce((a, b) => a + b, 0) / ORDERS.length)
}

/** As sacrebleu's `13a`. */
function tokens13a(line: string): string[] {
  const plain = line
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
  return ` ${plain} `
    .replace(/([{-~[-` -&(-+:-@/])/gu, ' $1 ')
    .replace(/([^0-9])([.,])/gu, '$1 $2 ')
    .replace(/([.,])([^0-9])/gu, ' $1 $2')
    .replace(/([0-9])(-)/gu, '$1 $2 ')
    .split(/\s+/u)
    .filter((token) => token !== '')
}

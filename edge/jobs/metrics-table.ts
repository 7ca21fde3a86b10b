/** What a training told of itself, as CSV: a line for each step that was told of, a column for each number. */
import type { JobMetrics } from '#protocol/training.ts'

/** What was done again after a runner was lost counts as it was the last time. */
export function metricsTable(metrics: readonly JobMetrics[]): string {
  const rows = new Map<number, Record<string, number>>()
  for (const told of metrics) {
    if ('samples' in told) continue
    const prefix = 'train' in told ? 'train' : 'valid'
    const numbers = 'train' in told ? told.train : told.valid
    const row = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [`${prefix}_${name}`, value]))
    rows.set(told.step, { ...rows.get(told.step), ...row, ...('epoch' in told ? { epoch: told.epoch } : {}) })
  }
  const columns = [...new Set([...rows.values()].flatMap((row) => Object.keys(row)))].sort()
  const lines = [...rows]
    .sort(([a], [b]) => a - b)
    .map(([step, row]) => [step, ...columns.map((column) => row[column] ?? '')].join())
  return `${['step', ...columns].map(quoted).join()}\n${lines.map((line) => `${line}\n`).join('')}`
}

const quoted = (name: string): string => (/^[\w.-]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`)

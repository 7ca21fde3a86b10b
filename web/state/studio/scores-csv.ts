import { csvLine } from '#protocol/csv.ts'
import { text } from '../../text-studio.ts'
import type { Anomaly } from '../../transport/anomalies.ts'
import type { Material } from './scoring.ts'

/** The scores in the order of the data, with the data and each column's share where there are columns. */
export function scoresAsCsv(material: Material, scored: readonly Anomaly[]): string {
  const names = text.anomalies.columns
  const columns = material.kind === 'rows' ? material.table.columns : []
  const header = [names.line, names.score, names.isAnomaly, names.severity]
  const lines = scored.map(({ score, is_anomaly, severity, contributions }, i) => {
    const common = [lineOf(material, i), score, is_anomaly ? 1 : 0, severity]
    if (material.kind === 'images') return common
    return [...common, ...(material.table.rows[i] ?? []), ...contributions.map(({ share }) => share)]
  })
  return [[...header, ...columns, ...columns.map((column) => names.share + column)], ...lines].map(csvLine).join('')
}

function lineOf(material: Material, index: number): number {
  return material.kind === 'rows' ? (material.table.lines[index] ?? 0) : index + 1
}

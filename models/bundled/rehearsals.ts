/**
 * Sentences that a model which translates is reminded of while it is tuned, so that it does not forget what it knows: of
 * LibreOffice's help (MPL-2.0, The Document Foundation and its translators), as `gpu-runner/make-rehearsal.ts` chose them.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import * as v from 'valibot'

const LANGUAGES = ['en', 'fr']
const sentencesSchema = v.array(v.string())

/** Of a language; none if there are none in it. */
export async function rehearsalIn(language: string): Promise<readonly string[]> {
  if (!LANGUAGES.includes(language)) return []
  const file = path.join(import.meta.dirname, 'rehearsal', `${language}.json`)
  return v.parse(sentencesSchema, JSON.parse(await readFile(file, 'utf8')))
}

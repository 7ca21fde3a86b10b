/** `/v3/glossaries`: DeepL's, of which the page makes and reads those of one pair of languages each. */
import * as v from 'valibot'
import type { Http } from './http.ts'

const PATH = '/v3/glossaries'

const glossarySchema = v.object({
  glossary_id: v.string(),
  name: v.string(),
  dictionaries: v.array(v.object({ source_lang: v.string(), target_lang: v.string(), entry_count: v.number() })),
})
export type Glossary = v.InferOutput<typeof glossarySchema>
const glossariesSchema = v.object({ glossaries: v.array(glossarySchema) })
const entriesSchema = v.object({ dictionaries: v.array(v.object({ entries: v.string() })) })
const pairsSchema = v.object({
  supported_languages: v.array(v.object({ source_lang: v.string(), target_lang: v.string() })),
})

/** ISO 639-1. */
export interface LanguagePair {
  readonly source: string
  readonly target: string
}
export type Term = readonly [source: string, target: string]

const pairOf = ({ source, target }: LanguagePair) => ({ source_lang: source, target_lang: target })
const dictionaryOf = (pair: LanguagePair, terms: readonly Term[]) => ({
  ...pairOf(pair),
  entries: terms.map((term) => term.join('\t')).join('\n'),
  entries_format: 'tsv',
})

/** All throw RequestFailure. */
export class GlossariesApi {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  async list(signal: AbortSignal): Promise<readonly Glossary[]> {
    return (await this.#http.json(glossariesSchema, 'GET', PATH, { signal })).glossaries
  }

  /** The pairs that one can be for. */
  async pairs(signal: AbortSignal): Promise<readonly LanguagePair[]> {
    const answer = await this.#http.json(pairsSchema, 'GET', '/v2/glossary-language-pairs', { signal })
    return answer.supported_languages.map(({ source_lang: source, target_lang: target }) => ({ source, target }))
  }

  async read(id: string, pair: LanguagePair, signal: AbortSignal): Promise<readonly Term[]> {
    const query = new URLSearchParams(pairOf(pair))
    const path = `${PATH}/${encodeURIComponent(id)}/entries?${query}`
    const { dictionaries } = await this.#http.json(entriesSchema, 'GET', path, { signal })
    const lines = dictionaries[0]?.entries.split('\n') ?? []
    return lines.map((line) => {
      const [source = '', target = ''] = line.split('\t')
      return [source, target]
    })
  }

  /** @returns its id */
  async make(name: string, pair: LanguagePair, terms: readonly Term[], signal: AbortSignal): Promise<string> {
    const body = { name, dictionaries: [dictionaryOf(pair, terms)] }
    return (await this.#http.json(glossarySchema, 'POST', PATH, { body, signal })).glossary_id
  }

  /** Gives one another name, and a pair's dictionary other terms. */
  async change(
    { glossary_id: id, name: before }: Glossary,
    name: string,
    pair: LanguagePair,
    terms: readonly Term[],
    signal: AbortSignal,
  ): Promise<void> {
    const path = `${PATH}/${encodeURIComponent(id)}`
    await this.#http.send('PUT', `${path}/dictionaries`, { body: dictionaryOf(pair, terms), signal })
    if (name !== before) await this.#http.send('PATCH', path, { body: { name }, signal })
  }

  /** Deletes it, or, if it has others, a pair's dictionary. @param leaving the page is being closed */
  async remove({ glossary_id: id, dictionaries }: Glossary, pair: LanguagePair, leaving: boolean): Promise<void> {
    const path = `${PATH}/${encodeURIComponent(id)}`
    const part = `${path}/dictionaries?${new URLSearchParams(pairOf(pair))}`
    await this.#http.send('DELETE', dictionaries.length > 1 ? part : path, { keepalive: leaving })
  }
}

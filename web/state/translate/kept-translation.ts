/** What is being translated, as the address and this tab's storage keep it. */
import * as v from 'valibot'

const language = v.pipe(v.string(), v.regex(/^[a-z]{2,3}$/))
const schema = v.object({
  text: v.fallback(v.string(), ''),
  /** Null: it is found out. */
  source: v.fallback(v.nullable(language), null),
  target: v.fallback(v.nullable(language), null),
  glossary: v.fallback(v.nullable(v.string()), null),
  /** Null: whichever is for the languages. */
  model: v.fallback(v.nullable(v.string()), null),
})
export type KeptTranslation = v.InferOutput<typeof schema>

const KEY = 'tandem-translation'
/** Longer texts are not in the address. */
const ADDRESS_LENGTH = 500

export function readKept(storage: Pick<Storage, 'getItem'>): KeptTranslation {
  try {
    return v.parse(schema, JSON.parse(storage.getItem(KEY) ?? '{}'))
  } catch {
    return { text: '', source: null, target: null, glossary: null, model: null }
  }
}

export function keep(storage: Pick<Storage, 'setItem'>, kept: KeptTranslation): void {
  try {
    storage.setItem(KEY, JSON.stringify(kept))
  } catch {
    // A browser that keeps nothing still has it while the page is open.
  }
}

/** The text stands after `#`: that part of an address is sent to nobody. */
export function toQuery({ text, source, target, model }: KeptTranslation): string {
  const search = new URLSearchParams()
  if (source !== null) search.set('from', source)
  if (target !== null) search.set('to', target)
  if (model !== null) search.set('model', model)
  const languages = search.size > 0 ? `?${search}` : ''
  return text === '' || text.length > ADDRESS_LENGTH ? languages : `${languages}#text=${encodeURIComponent(text)}`
}

/** What an address says; it need not say everything. */
export function fromQuery(query: string): Partial<KeptTranslation> {
  const [search = '', hash = ''] = query.split('#', 2)
  const asked = new URLSearchParams(search)
  const text = new URLSearchParams(hash.replaceAll('+', '%2B')).get('text')
  const target = v.safeParse(language, asked.get('to'))
  const source = v.safeParse(language, asked.get('from'))
  return {
    ...(text === null ? {} : { text }),
    ...(target.success ? { target: target.output, source: source.success ? source.output : null } : {}),
    ...(target.success ? { model: asked.get('model') } : {}),
  }
}

/**
 * LibreOffice's help (MPL-2.0) as pairs of paragraphs: a page has the same name in every language, and a paragraph the same
 * id. Some pages are kept for choosing a model and for tests: no model is trained on them.
 */
import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { plainText } from '#models/tokenizer/translation-tokenizer.ts'
import type { PairSet } from '../data-set.ts'
import { type SourceFile, sourceFile } from '../source-files.ts'

const pages = (language: string, folder: string, sha256: string): SourceFile => ({
  name: `LibreOffice's help (${folder})`,
  sha256,
  sources: [
    {
      kind: 'debian-folder',
      package: `libreoffice-help-${language}`,
      folder: `usr/share/libreoffice/help/${folder}`,
      extension: 'html',
    },
  ],
})
const PAGES = {
  en: pages('en-us', 'en-US', '727b01928a4fcca137399056c7dba143d9c0123d870f14fd95eabefd6da1e5a0'),
  fr: pages('fr', 'fr', '1e1a2145a93e14feb43fd5641aef3324ce60725813b45f4024b3d1c4f417c193'),
}
type Language = keyof typeof PAGES

const pagesSchema = v.record(v.string(), v.string())

/** One page in so many is for tests, and one for choosing. */
const PARTS = 20
type Part = 'train' | 'dev' | 'test'

/** By the first 32 bits of the SHA-1 of the page's name, `text/scalc/guide/autofilter.html`. */
export function partOf(page: string): Part {
  const remainder = createHash('sha1').update(page).digest().readUInt32BE(0) % PARTS
  return remainder === 0 ? 'test' : remainder === 1 ? 'dev' : 'train'
}

/** Texts are the same when this is. */
export const textKey = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\p{Nd}+/gu, '0')
    .replace(/[^\p{L}\p{N}_]+/gu, ' ')
    .trim()

/** Headings and paragraphs that are translated have such an id. */
const PARAGRAPH = /<(p|h[1-6])\b[^>]*\bid="((?:par|hd)_id[^"]*)"[^>]*>(.*?)<\/\1>/gs
const TAG = /<[^>]*>/g
/** The entities that the pages have. */
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' }
const ENTITY = /&(lt|gt|amp|quot);/g
const decode = (html: string): string => html.replace(ENTITY, (_, name: string) => ENTITIES[name] ?? '')

function paragraphs(page: string): Map<string, string> {
  return new Map(
    [...page.matchAll(PARAGRAPH)].map(([, , id = '', html = '']) => [id, plainText(decode(html.replace(TAG, '')))]),
  )
}

interface Pair {
  readonly part: Part
  readonly en: string
  readonly fr: string
}

/** Of pages by their names; without what is the same in both languages, each pair once in a part. */
export function pairsOfPages(
  en: Readonly<Record<string, string>>,
  fr: Readonly<Record<string, string>>,
): readonly Pair[] {
  const pairs = new Map<string, Pair>()
  for (const [page, html] of Object.entries(en)) {
    const part = partOf(page)
    const french = paragraphs(fr[page] ?? '')
    for (const [id, text] of paragraphs(html)) {
      const translated = french.get(id)
      if (!translated || text === '' || text === translated) continue
      const key = JSON.stringify([part, text, translated])
      if (!pairs.has(key)) pairs.set(key, { part, en: text, fr: translated })
    }
  }
  return [...pairs.values()]
}

/** What is not for training has no sentence that the training part has, in the language that it is translated from. */
export async function libreOfficeHelp(
  part: Part,
  { source, target }: { readonly source: Language; readonly target: Language },
  root: string,
): Promise<PairSet> {
  const read = async (language: Language) =>
    v.parse(pagesSchema, JSON.parse((await sourceFile(PAGES[language], root)).toString('utf8')))
  const pairs = pairsOfPages(await read('en'), await read('fr'))
  const trained = new Set(pairs.filter((pair) => pair.part === 'train').map((pair) => textKey(pair[source])))
  const chosen = pairs.filter((pair) => pair.part === part && (part === 'train' || !trained.has(textKey(pair[source]))))
  return {
    kind: 'pairs',
    count: chosen.length,
    languages: { source, target },
    source: chosen.map((pair) => pair[source]),
    target: chosen.map((pair) => pair[target]),
  }
}

/**
 * LibreOffice's help (MPL-2.0) as pairs of paragraphs: a page has the same name in every language, and a paragraph the same
 * id. Some pages are kept for choosing a model and for tests: no model is trained on them.
 */
import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { plainText } from '#models/tokenizer/translation-tokenizer.ts'
import type { PairSet } from '../data-set.ts'
import { type SourceFile, sourceFile } from '../source-files.ts'
import { type Pair, textKey } from './english-french.ts'
import { withMarks } from './marks.ts'

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

/** Headings and paragraphs that are translated have such an id. */
const PARAGRAPH = /<(p|h[1-6])\b[^>]*\bid="((?:par|hd)_id[^"]*)"[^>]*>(.*?)<\/\1>/gs
const TAG = /<[^>]*>/g
/** The entities that the pages have. */
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' }
const ENTITY = /&(lt|gt|amp|quot);/g
const decode = (html: string): string => html.replace(ENTITY, (_, name: string) => ENTITIES[name] ?? '')

const textOf = (html: string): string => plainText(decode(html.replace(TAG, '')))

/** Their HTML, by their ids. */
const paragraphs = (page: string): Map<string, string> =>
  new Map([...page.matchAll(PARAGRAPH)].map(([, , id = '', html = '']) => [id, html]))

interface HelpPair extends Pair {
  readonly part: Part
  /** With the marks of formats that both have as placeholders. */
  readonly marked?: Pair
}

/** Of pages by their names; without what is the same in both languages, each pair once in a part. */
export function pairsOfPages(
  en: Readonly<Record<string, string>>,
  fr: Readonly<Record<string, string>>,
): readonly HelpPair[] {
  const pairs = new Map<string, HelpPair>()
  for (const [page, html] of Object.entries(en)) {
    const part = partOf(page)
    const french = paragraphs(fr[page] ?? '')
    for (const [id, english] of paragraphs(html)) {
      const other = french.get(id) ?? ''
      const [text, translated] = [textOf(english), textOf(other)]
      if (translated === '' || text === '' || text === translated) continue
      const key = JSON.stringify([part, text, translated])
      if (pairs.has(key)) continue
      const marks = withMarks(english, other)
      const marked = marks && { en: textOf(marks.source), fr: textOf(marks.target) }
      pairs.set(key, { part, en: text, fr: translated, ...(marked && { marked }) })
    }
  }
  return [...pairs.values()]
}

const helpPairs = async (root: string): Promise<readonly HelpPair[]> => {
  const read = async (language: Language) =>
    v.parse(pagesSchema, JSON.parse((await sourceFile(PAGES[language], root)).toString('utf8')))
  return pairsOfPages(await read('en'), await read('fr'))
}

interface Direction {
  readonly source: Language
  readonly target: Language
}

/** What is not for training has no sentence that the training part has, in the language that it is translated from. */
export async function libreOfficeHelp(part: Part, direction: Direction, root: string): Promise<PairSet> {
  return setOf(partOfPairs(await helpPairs(root), part, direction), direction)
}

/**
 * The training part of the help, with other pairs beside it: `more` like its own, `once` of another kind (PairSet). None has
 * a sentence, of either language, that is in a part of the help that no model is trained on.
 */
export async function helpAndMore(
  direction: Direction,
  { more, once }: { readonly more: readonly Pair[]; readonly once: readonly Pair[] },
  root: string,
): Promise<PairSet> {
  const pairs = await helpPairs(root)
  const held = new Set(
    (['dev', 'test'] as const)
      .flatMap((part) => partOfPairs(pairs, part, direction))
      .flatMap(({ en, fr }) => [textKey(en), textKey(fr)]),
  )
  const isFree = ({ en, fr }: Pair) => !held.has(textKey(en)) && !held.has(textKey(fr))
  const own = partOfPairs(pairs, 'train', direction)
  const known = new Set(own.map(({ en, fr }) => JSON.stringify([en, fr])))
  const added = new Map(more.filter(isFree).map((pair) => [JSON.stringify([pair.en, pair.fr]), pair]))
  const news = [...added].flatMap(([key, pair]) => (known.has(key) ? [] : [pair]))
  const set = setOf([...own, ...news], direction)
  return { ...set, once: once.filter(isFree).map((pair) => turned(pair, direction)) }
}

function partOfPairs(pairs: readonly HelpPair[], part: Part, { source }: Direction): readonly HelpPair[] {
  const trained = new Set(pairs.filter((pair) => pair.part === 'train').map((pair) => textKey(pair[source])))
  return pairs.filter((pair) => pair.part === part && (part === 'train' || !trained.has(textKey(pair[source]))))
}

const turned = (pair: Pair, { source, target }: Direction) => ({ source: pair[source], target: pair[target] })

function setOf(pairs: readonly (Pair & { readonly marked?: Pair })[], direction: Direction): PairSet {
  const texts = pairs.map((pair) => turned(pair, direction))
  return {
    kind: 'pairs',
    count: pairs.length,
    languages: direction,
    source: texts.map(({ source }) => source),
    target: texts.map(({ target }) => target),
    marked: new Map(pairs.flatMap(({ marked }, i) => (marked ? [[i, turned(marked, direction)] as const] : []))),
  }
}

/**
 * Marks of formats inside a paragraph of HTML (bold, links, pictures) as placeholders, so that a model learns to keep around
 * which words they stand.
 */
import { PLACEHOLDERS, placeholder } from '#protocol/translation.ts'

const TAG = /<(\/?)([a-z][a-z0-9]*)([^>]*)>/g
/** What a tag of one language has in common with that of another. */
const CLASS = /\bclass="([^"]*)"/
const LINK = /\bhref="[^"/]*\/([^"]*)"/

interface Mark {
  readonly key: string
  readonly at: number
  readonly length: number
}

/** Without elements that show nothing themselves, and names of places. */
function marksOf(html: string): readonly Mark[] {
  const marks: Mark[] = []
  const open: (string | undefined)[] = []
  for (const { 0: tag, 1: slash, 2: name = '', 3: attributes = '', index } of html.matchAll(TAG)) {
    const seen = `${name} ${CLASS.exec(attributes)?.[1] ?? ''} ${LINK.exec(attributes)?.[1] ?? ''}`
    const shown = name === 'a' ? LINK.test(attributes) : !/hidden|switchinline/.test(attributes)
    const alone = name === 'br' || name === 'img'
    const key = slash ? open.pop() : shown ? seen : undefined
    if (!slash && !alone) open.push(key)
    if (key !== undefined) marks.push({ key: slash + key, at: index, length: tag.length })
  }
  return marks
}

/**
 * Both paragraphs with their marks as placeholders, those of the first numbered as they stand; undefined if they have none,
 * too many, or not the same ones. Of like ones the first of the one is the first of the other.
 */
export function withMarks(source: string, target: string): { source: string; target: string } | undefined {
  const [from, to] = [marksOf(source), marksOf(target)]
  if (from.length === 0 || from.length > PLACEHOLDERS || from.length !== to.length) return undefined
  const places = new Map<string, number[]>()
  for (const [number, { key }] of from.entries()) places.set(key, [...(places.get(key) ?? []), number])
  const numbers = to.map(({ key }) => places.get(key)?.shift())
  if (!numbers.every((number) => number !== undefined)) return undefined
  return { source: replaced(source, from, [...from.keys()]), target: replaced(target, to, numbers) }
}

function replaced(html: string, marks: readonly Mark[], numbers: readonly number[]): string {
  let [out, end] = ['', 0]
  for (const [i, { at, length }] of marks.entries()) {
    out += html.slice(end, at) + placeholder(numbers[i] ?? 0)
    end = at + length
  }
  return out + html.slice(end)
}

/**
 * Descriptions of Debian's packages, in English and as Debian's French translators have them, paragraph by paragraph:
 * https://www.debian.org/international/l10n/ddtp
 */
import { createHash } from 'node:crypto'
import { plainText } from '#models/tokenizer/translation-tokenizer.ts'
import { type SourceFile, sourceFile } from '../source-files.ts'
import type { Pair } from './english-french.ts'

const index = (language: string, sha256: string): SourceFile => ({
  name: `Debian's package descriptions (${language})`,
  sha256,
  sources: [{ kind: 'debian-descriptions', suite: 'bookworm', language }],
})
const INDICES = {
  en: index('en', '62f59c3cdca9786e4f7adf9002f9f5729a684adcb4667e58e448dec9b5a46c7f'),
  fr: index('fr', '1b5ce81d2dac68fb27997899d9e092b8281f984baa658c22139d8f2640aec6cc'),
}

/** Packages in so many that are for tests, and for choosing. */
const PARTS = 20

/** By the first 32 bits of the SHA-1 of its name. */
export function packagePart(name: string): 'train' | 'dev' | 'test' {
  const remainder = createHash('sha1').update(name).digest().readUInt32BE(0) % PARTS
  return remainder === 0 ? 'test' : remainder === 1 ? 'dev' : 'train'
}

/** By package and description: the short one, and the paragraphs of the long one; without what is set as it stands. */
export function descriptionsOf(text: string, language: string): Map<string, readonly (string | undefined)[]> {
  const found = new Map<string, readonly (string | undefined)[]>()
  for (const block of text.split('\n\n')) {
    const name = /^Package: (\S+)/m.exec(block)?.[1]
    const hash = /^Description-md5: (\S+)/m.exec(block)?.[1]
    const [, short = '', long = ''] =
      new RegExp(`^Description-${language}: (.*)\\n((?: .*\\n?)*)`, 'm').exec(block) ?? []
    if (!name || !hash || short === '') continue
    const paragraphs = long.trimEnd().split(/\n \.\n/)
    found.set(`${name} ${hash}`, [short, ...paragraphs.map((p) => (/^ {2}/m.test(p) ? undefined : plainText(p)))])
  }
  return found
}

/** Of the packages that are for training, each pair once; those with as many paragraphs in both languages. */
export async function debianDescriptions(root: string): Promise<readonly Pair[]> {
  const read = async (language: 'en' | 'fr') =>
    descriptionsOf((await sourceFile(INDICES[language], root)).toString('utf8'), language)
  const [english, french] = [await read('en'), await read('fr')]
  const pairs = new Map<string, Pair>()
  for (const [key, texts] of english) {
    const others = french.get(key)
    if (others?.length !== texts.length || packagePart(key.split(' ')[0] ?? '') !== 'train') continue
    for (const [i, en] of texts.entries()) {
      const fr = others[i]
      if (en && fr && en !== fr) pairs.set(JSON.stringify([en, fr]), { en, fr })
    }
  }
  return [...pairs.values()]
}

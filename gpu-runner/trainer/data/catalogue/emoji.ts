/**
 * Google's Noto emoji as emoji-datasource carries them (images Apache-2.0), with names and keywords from emojibase (MIT).
 * Skin tones are left out. Some families are kept for tests: no model is trained on them.
 */
import { createHash } from 'node:crypto'
import sharp from 'sharp'
import * as v from 'valibot'
import type { ImageSet } from '../data-set.ts'
import { type SourceFile, sourceFile } from '../source-files.ts'

const file = (name: string, pkg: string, version: string, path: string, sha256: string): SourceFile => ({
  name,
  sha256,
  sources: [
    { kind: 'url', url: `https://cdn.jsdelivr.net/npm/${pkg}@${version}/${path}` },
    { kind: 'npm', package: pkg, version, file: path },
  ],
})
const SHEET = file(
  'the sheet of emoji',
  'emoji-datasource-google',
  '16.0.0',
  'img/google/sheets-clean/32.png',
  'b417e9f6cd4bbc10656bbfd5e13b6e9a2545b55e6a4cf7312d75be1faaa34952',
)
const INDEX = file(
  'the list of emoji',
  'emoji-datasource-google',
  '16.0.0',
  'emoji.json',
  '1d602e65be88772bf8cc368ce16b855d719eeddbafe128d471b80203f494d29f',
)
const WORDS = file(
  'the names of emoji',
  'emojibase-data',
  '17.0.0',
  'en/compact.json',
  '1c7cf539328563743c2b2adff7117ccff0ae6852d591366f4363f50503d5e398',
)

const SIDE = 32
/** Each cell of the sheet has a border of one pixel. */
const CELL = SIDE + 2

const indexSchema = v.array(
  v.object({ unified: v.string(), sheet_x: v.number(), sheet_y: v.number(), has_img_google: v.boolean() }),
)
const wordsSchema = v.array(
  v.object({ hexcode: v.string(), label: v.string(), tags: v.optional(v.array(v.string()), []) }),
)

/** Code points that make another picture of the same family: selectors, joiners, genders, skin tones. */
const MODIFIERS = new Set(['fe0f', '200d', '2640', '2642', '1f3fb', '1f3fc', '1f3fd', '1f3fe', '1f3ff'])
const PERSON = '1f9d1'
const MAN_OR_WOMAN = new Set(['1f468', '1f469'])
/** One family in so many is for tests. */
const HELD_OUT = 40

/** Whether no model may be trained on it: by the hash of what it has in common with its family. */
export function isHeldOut(unified: string): boolean {
  const points = unified.toLowerCase().split('-')
  const family = points
    .filter((point) => !MODIFIERS.has(point))
    .map((point) => (MAN_OR_WOMAN.has(point) ? PERSON : point))
    .join('-')
  return createHash('sha1').update(family).digest().readUInt32BE(0) % HELD_OUT === 0
}

/** In three channels, on white; captions are the name, then the keywords. */
export async function emoji(part: 'train' | 'test', root: string): Promise<ImageSet> {
  const index = v.parse(indexSchema, JSON.parse((await sourceFile(INDEX, root)).toString('utf8')))
  const words = v.parse(wordsSchema, JSON.parse((await sourceFile(WORDS, root)).toString('utf8')))
  const captions = new Map(words.map(({ hexcode, label, tags }) => [withoutSelectors(hexcode), [label, ...tags]]))
  const chosen = index
    .filter(({ has_img_google, unified }) => has_img_google && isHeldOut(unified) === (part === 'test'))
    .sort((a, b) => (a.unified < b.unified ? -1 : 1))
  const sheet = sharp(await sourceFile(SHEET, root)).flatten({ background: '#fff' })
  const { data, info } = await sheet.raw().toBuffer({ resolveWithObject: true })
  const plane = SIDE * SIDE
  const pixels = new Uint8Array(chosen.length * 3 * plane)
  for (const [i, { sheet_x, sheet_y }] of chosen.entries()) {
    for (let pixel = 0; pixel < plane; pixel++) {
      const x = sheet_x * CELL + 1 + (pixel % SIDE)
      const y = sheet_y * CELL + 1 + Math.floor(pixel / SIDE)
      const from = (y * info.width + x) * info.channels
      for (let channel = 0; channel < 3; channel++)
        pixels[(i * 3 + channel) * plane + pixel] = data[from + channel] ?? 0
    }
  }
  return {
    kind: 'images',
    count: chosen.length,
    channels: 3,
    height: SIDE,
    width: SIDE,
    pixels,
    captions: chosen.map(({ unified }) => (captions.get(withoutSelectors(unified)) ?? []).join(', ')),
  }
}

const withoutSelectors = (hex: string): string =>
  hex
    .toLowerCase()
    .split('-')
    .filter((point) => point !== 'fe0f')
    .join('-')

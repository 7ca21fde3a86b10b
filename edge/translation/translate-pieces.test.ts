import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeXml, markupPieces } from './markup-pieces.ts'
import { type Part, plain } from './pieces.ts'
import { plainPieces } from './plain-pieces.ts'
import { returned } from './returned.ts'
import { type AskModel, type TranslatedPiece, translatePieces } from './translate-pieces.ts'

const options = { language: 'en', split: 'lines', most: 80, keep: (parts: readonly Part[]) => [...parts] } as const
const markup = {
  ...options,
  markup: 'xml',
  ignoreTags: new Set(['x']),
  splittingTags: new Set<string>(),
  nonSplittingTags: new Set<string>(),
  outlineDetection: true,
} as const
const rendering = { preserveFormatting: false, alternatives: 0 }
const says = (text: string) => ({ text, alternatives: [], tokens: 1, read: 1 })
/** Gives back what it gets. */
const repeats: AskModel = async (texts) => texts.map(says)
/** Loses every placeholder. */
const forgets: AskModel = async (texts) => texts.map((text) => says(text.replaceAll(/⟦\d+⟧/g, '')))
const spaced = (text: string) => text.replaceAll(/\s+/g, ' ')

const WORDS = [
  'Open',
  ' the',
  ' file',
  '. ',
  '! ',
  ', ',
  '\n',
  '\r\n\r\n',
  ' {x}',
  ' %s',
  ' `a. b`',
  ' 🙂',
  ' e.g.',
  ' مرحبا',
  '⟦1⟧',
  ' 12',
  ' é',
]
const prose = fc.array(fc.constantFrom(...WORDS), { maxLength: 60 }).map((words) => words.join(''))
const TAGS: readonly string[] = ['b', 'p', 'x', 'doc']
const { element } = fc.letrec<{ element: string; node: string }>((tie) => ({
  node: fc.oneof({ depthSize: 'small' }, prose.map(encodeXml), fc.constant('<i a="1 &amp; 2"/>'), tie('element')),
  element: fc
    .tuple(fc.constantFrom(...TAGS), fc.array(tie('node'), { maxLength: 4 }))
    .map(([tag, nodes]) => `<${tag}>${nodes.join('')}</${tag}>`),
}))

test('of any text nothing is lost, whether the model copies placeholders or not', async () => {
  await fc.assert(
    fc.asyncProperty(prose, fc.constantFrom(repeats, forgets), async (text, model) => {
      const [result] = await returned(
        translatePieces([plainPieces(text, options)], model, { ...rendering, encode: plain }),
      )
      assert.equal(spaced(result?.text ?? ''), spaced(text))
    }),
    { numRuns: 300 },
  )
})

test('of any XML neither', async () => {
  await fc.assert(
    fc.asyncProperty(element, fc.constantFrom(repeats, forgets), async (source, model) => {
      const [result] = await returned(
        translatePieces([markupPieces(source, markup)], model, { ...rendering, encode: encodeXml }),
      )
      assert.equal(spaced(result?.text ?? ''), spaced(source))
    }),
    { numRuns: 300 },
  )
})

test('pieces come in order, batch by batch, and are the whole; no sentence is asked for twice', async () => {
  const sentence = fc.constantFrom('Open {x}. ', 'It is %s. ', 'Close it.\n', '🙂 ', 'e.g. the file! ', '\t', 'One. ')
  const text = fc.array(sentence, { maxLength: 30 }).map((some) => some.join(''))
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 4 }), fc.constantFrom(repeats, forgets), async (texts, model) => {
      const asked: string[] = []
      const counts: AskModel = (some) => {
        asked.push(...some)
        return model(some)
      }
      const taken = texts.map((one) => plainPieces(one, options))
      const work = translatePieces(taken, counts, { ...rendering, encode: plain, batchSize: (before) => before + 1 })
      const pieces: TranslatedPiece[] = []
      let step = await work.next()
      for (; !step.done; step = await work.next()) pieces.push(step.value)
      const sum = (of: (piece: TranslatedPiece) => number) => pieces.reduce((all, piece) => all + of(piece), 0)
      for (const [index, { text: whole }] of step.value.entries()) {
        const own = pieces.filter((piece) => piece.index === index)
        assert.equal(own.map((piece) => piece.text).join(''), whole)
      }
      assert.equal(new Set(asked).size, asked.length)
      assert.equal(
        sum(({ characters }) => characters),
        [...texts.join('')].length,
      )
      assert.equal(
        sum(({ sentences }) => sentences),
        taken.flat().filter((piece) => typeof piece === 'object').length,
      )
    }),
    { numRuns: 200 },
  )
})

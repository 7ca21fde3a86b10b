import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { bertWords } from './bert-words.ts'
import reference from './testdata/word-piece.json' with { type: 'json' }
import { createWordPiece } from './word-piece.ts'

const tokenizer = createWordPiece(JSON.stringify(reference.tokenizer))

describe('as the reference has it', () => {
  for (const { text, ids } of reference.vectors) {
    test(JSON.stringify(text.slice(0, 60)), () => assert.deepEqual(tokenizer.encode(text), ids))
  }

  for (const [name, lowercase] of [
    ['uncased', true],
    ['cased', false],
  ] as const) {
    test(`every character of Unicode 3.2, ${name}`, () => {
      const rules = { clean: true, separateIdeographs: true, stripAccents: lowercase, lowercase }
      const digest = createHash('sha256')
      for (const [from = 0, to = 0] of reference.characters) {
        for (let character = from; character <= to; character++) {
          const words = bertWords(`A${String.fromCodePoint(character)}b`, rules)
          digest.update(`${words.join('\u001f')}\u001e`)
        }
      }
      assert.equal(digest.digest('hex'), reference[name])
    })
  }
})

test('lone surrogates are left out, pairs are not', () => {
  assert.deepEqual(tokenizer.encode('the \ud800fox\udc00'), tokenizer.encode('the fox'))
  assert.deepEqual(tokenizer.encode('\ud83d'), tokenizer.encode(''))
})

test('tells its size', () => {
  assert.equal(tokenizer.vocabularySize, Object.keys(reference.tokenizer.model.vocab).length)
})

describe('refuses', () => {
  type Changes = Readonly<Record<string, unknown>>
  const cases: readonly [
    what: string,
    code: string,
    change: (file: Record<string, Record<string, unknown>>) => unknown,
  ][] = [
    ['another model', 'unknown_tokenizer', (file) => ({ ...file, model: { ...file.model, type: 'BPE' } })],
    ['another normalizer', 'unknown_tokenizer', (file) => ({ ...file, normalizer: { type: 'NFC' } })],
    ['no normalizer', 'unknown_tokenizer', (file) => ({ ...file, normalizer: null })],
    ['another pre-tokenizer', 'unknown_tokenizer', (file) => ({ ...file, pre_tokenizer: { type: 'Whitespace' } })],
    ['another template', 'unknown_tokenizer', (file) => ({ ...file, post_processor: { type: 'BertProcessing' } })],
    [
      'a template without a text',
      'invalid_vocabulary',
      (file) => ({ ...file, post_processor: { ...file.post_processor, single: [] } }),
    ],
    [
      'special tokens that strip',
      'unknown_tokenizer',
      (file) => ({
        ...file,
        added_tokens: (file.added_tokens as unknown as Changes[]).map((token) => ({ ...token, lstrip: true })),
      }),
    ],
    ['a list for a vocabulary', 'invalid_vocabulary', vocabulary([])],
    ['no unknown token', 'invalid_vocabulary', (file) => ({ ...file, model: { ...file.model, unk_token: 'none' } })],
    ['a number twice', 'invalid_vocabulary', vocabulary({ '[PAD]': 0, '[UNK]': 1, '[CLS]': 1 })],
    ['a number beyond the vocabulary', 'invalid_vocabulary', vocabulary({ '[PAD]': 0, '[UNK]': 1, '[CLS]': 9 })],
    ['half a number', 'invalid_vocabulary', vocabulary({ '[PAD]': 0, '[UNK]': 0.5 })],
  ]
  function vocabulary(vocab: unknown) {
    return (file: Record<string, Record<string, unknown>>) => ({ ...file, model: { ...file.model, vocab } })
  }
  for (const [what, code, change] of cases) {
    const file = JSON.stringify(change(structuredClone(reference.tokenizer) as never))
    test(what, () => assert.throws(() => createWordPiece(file), { name: 'TokenizerError', code }))
  }
  test('what is no JSON', () => assert.throws(() => createWordPiece('{'), { code: 'unknown_tokenizer' }))
})

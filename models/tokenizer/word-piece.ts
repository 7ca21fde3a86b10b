/**
 * WordPiece (Schuster and Nakajima 2012, https://doi.org/10.1109/ICASSP.2012.6289079) as BERT has it (Devlin et al. 2019,
 * https://arxiv.org/abs/1810.04805), from the `tokenizer.json` of the Hugging Face libraries. A word becomes the longest
 * token that begins it, then the longest that goes on with it, and so on; a word that cannot be made so is one unknown.
 *
 * As in those libraries, what is written as a special token in a text is that token: an encoder has no turns that
 * somebody could forge.
 */
import * as v from 'valibot'
import { bertWords, type WordRules } from './bert-words.ts'
import { TokenizerError } from './tokenizer-error.ts'

export interface WordPiece {
  readonly vocabularySize: number
  /** A text's tokens, those that begin and end it included. Lone surrogates are left out. */
  encode(text: string): number[]
}

const id = v.pipe(v.number(), v.integer(), v.minValue(0))
const specialSchema = v.object({
  id,
  content: v.pipe(v.string(), v.minLength(1)),
  single_word: v.literal(false),
  lstrip: v.literal(false),
  rstrip: v.literal(false),
  normalized: v.literal(false),
})
const templatePartSchema = v.union([
  v.object({ SpecialToken: v.object({ id: v.string() }) }),
  v.object({ Sequence: v.object({ id: v.literal('A') }) }),
])
/** What of the file says how text is read. A padding or truncation in it is of whoever saved it. */
const tokenizerSchema = v.object({
  added_tokens: v.array(specialSchema),
  normalizer: v.object({
    type: v.literal('BertNormalizer'),
    clean_text: v.boolean(),
    handle_chinese_chars: v.boolean(),
    strip_accents: v.nullable(v.boolean()),
    lowercase: v.boolean(),
  }),
  pre_tokenizer: v.object({ type: v.literal('BertPreTokenizer') }),
  post_processor: v.object({ type: v.literal('TemplateProcessing'), single: v.array(templatePartSchema) }),
  model: v.object({
    type: v.optional(v.literal('WordPiece')),
    unk_token: v.string(),
    continuing_subword_prefix: v.string(),
    max_input_chars_per_word: v.pipe(v.number(), v.integer(), v.minValue(1)),
    vocab: v.unknown(),
  }),
})

/** Words come again; the cache is emptied when it is full. */
const CACHED_WORDS = 1 << 14

/**
 * @param json the contents of a `tokenizer.json`
 * @throws TokenizerError for one that is malformed, or of another kind
 */
export function createWordPiece(json: string): WordPiece {
  const { added_tokens: added, normalizer, post_processor: template, model } = parse(json)
  const ids = readVocabulary(model.vocab)
  for (const { id: number, content } of added) ids.set(content, number)
  const idOf = (token: string): number => {
    const found = ids.get(token)
    if (found === undefined) throw invalid(`the vocabulary has no ${token.slice(0, 100)}`)
    return found
  }
  const unknown = idOf(model.unk_token)
  const at = template.single.findIndex((part) => 'Sequence' in part)
  if (at < 0) throw invalid('the template has no place for a text')
  const around = template.single.map((part) => ('SpecialToken' in part ? idOf(part.SpecialToken.id) : 0))
  const [before, after] = [around.slice(0, at), around.slice(at + 1)]
  const rules: WordRules = {
    clean: normalizer.clean_text,
    separateIdeographs: normalizer.handle_chinese_chars,
    stripAccents: normalizer.strip_accents ?? normalizer.lowercase,
    lowercase: normalizer.lowercase,
  }
  const pieces = piecesOf(ids, { ...model, unknown })
  const split = splitter(added.map(({ content }) => content))
  return {
    vocabularySize: 1 + Math.max(...ids.values()),
    encode(text) {
      const tokens = [...before]
      for (const [i, part] of split(text.toWellFormed()).entries()) {
        // Split at a group, the odd parts are what matched.
        if (i % 2 === 1) tokens.push(idOf(part))
        else for (const word of bertWords(part, rules)) for (const piece of pieces(word)) tokens.push(piece)
      }
      tokens.push(...after)
      return tokens
    },
  }
}

function parse(json: string): v.InferOutput<typeof tokenizerSchema> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), tokenizerSchema), json)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  const where = v.getDotPath(issue) ?? 'the whole'
  throw new TokenizerError('unknown_tokenizer', `the tokenizer is none of BERT's: ${where}: ${issue.message}`)
}

const invalid = (message: string) => new TokenizerError('invalid_vocabulary', message)

/** Not by a schema, which leaves out the words that JavaScript has a use for, such as `constructor`. */
function readVocabulary(vocabulary: unknown): Map<string, number> {
  if (typeof vocabulary !== 'object' || vocabulary === null || Array.isArray(vocabulary))
    throw invalid('the vocabulary is no object')
  const entries = Object.entries(vocabulary as Readonly<Record<string, unknown>>)
  const taken = new Set<number>()
  return new Map(
    entries.map(([token, number]) => {
      if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number >= entries.length) {
        throw invalid(`the number of ${token.slice(0, 100)} is none from 0 to ${entries.length - 1}`)
      }
      if (taken.has(number)) throw invalid(`two tokens have the number ${number}`)
      taken.add(number)
      return [token, number]
    }),
  )
}

interface PieceRules {
  readonly continuing_subword_prefix: string
  readonly max_input_chars_per_word: number
  readonly unknown: number
}

/** A word's tokens. */
function piecesOf(ids: ReadonlyMap<string, number>, rules: PieceRules): (word: string) => readonly number[] {
  const { continuing_subword_prefix: prefix, max_input_chars_per_word: mostCharacters, unknown } = rules
  // Tokens that go on with a word, without their prefix.
  const going = new Map(
    [...ids].flatMap(([token, number]) =>
      token.startsWith(prefix) ? [[token.slice(prefix.length), number] as const] : [],
    ),
  )
  const longest = [...ids.keys()].reduce((most, token) => Math.max(most, token.length), 1)
  const cache = new Map<string, readonly number[]>()

  function cut(word: string): readonly number[] {
    // In UTF-16 units there are at least as many as characters, which take a walk to count.
    if (word.length > mostCharacters && [...word].length > mostCharacters) return [unknown]
    const found: number[] = []
    for (let from = 0; from < word.length; ) {
      const known = from === 0 ? ids : going
      let to = Math.min(word.length, from + longest)
      let number: number | undefined
      while (to > from) {
        number = known.get(word.slice(from, to))
        if (number !== undefined) break
        to--
      }
      if (number === undefined) return [unknown]
      found.push(number)
      from = to
    }
    return found
  }
  return (word) => {
    let found = cache.get(word)
    if (found) return found
    found = cut(word)
    if (cache.size >= CACHED_WORDS) cache.clear()
    cache.set(word, found)
    return found
  }
}

/** Cuts a text at special tokens, of those that begin at one place at the longest. */
function splitter(specials: readonly string[]): (text: string) => readonly string[] {
  if (specials.length === 0) return (text) => [text]
  const longestFirst = specials.toSorted((a, b) => b.length - a.length)
  const any = new RegExp(`(${longestFirst.map((token) => RegExp.escape(token)).join('|')})`)
  return (text) => text.split(any)
}

/** What an answer can be held to, compiled: the last few grammars of a model are kept. */
import { createHash } from 'node:crypto'
import type { GenerationConstraint } from '#protocol/generation.ts'
import { Automaton } from './automaton.ts'
import { Constraint, TokenGrammar } from './constraint.ts'
import { character, type Grammar } from './expression.ts'
import { GrammarError } from './grammar-error.ts'
import { anyObject, JSON_RULES } from './json.ts'
import { schemaGrammar } from './json-schema.ts'
import { compile, type Program } from './program.ts'
import { regexExpression } from './regex.ts'
import { createTokenTrie, type TokenTrie } from './token-trie.ts'
import { toolCallGrammar } from './tool-calls.ts'

const MOST_GRAMMARS = 16

/** @throws GrammarError for what cannot be held to */
export function compileConstraint(constraint: GenerationConstraint): Program {
  try {
    return compile(grammarOf(constraint))
  } catch (error) {
    // Depth is bounded where it is told; what is made of a long list may be deep as well.
    if (error instanceof RangeError) throw new GrammarError('too_large', 'it is nested too deep')
    throw error
  }
}

function grammarOf(constraint: GenerationConstraint): Grammar {
  switch (constraint.type) {
    case 'json_object':
      return { start: anyObject, rules: JSON_RULES }
    case 'json_schema':
      return schemaGrammar(constraint.schema, constraint)
    case 'regex':
      return { start: regexExpression(constraint.pattern, { character, whole: true }), rules: new Map() }
    case 'tools':
      return toolCallGrammar(constraint)
  }
}

export interface GrammarVocabulary {
  readonly vocabularySize: number
  /** None for a control token. */
  decodeBytes(token: number): Uint8Array
}

/** The grammars of one model. */
export class Grammars {
  readonly #vocabulary: GrammarVocabulary
  /** By what they were compiled from, the least recently used first. */
  readonly #grammars = new Map<string, TokenGrammar>()
  #trie: TokenTrie | undefined

  constructor(vocabulary: GrammarVocabulary) {
    this.#vocabulary = vocabulary
  }

  /** Those that are kept. */
  get size(): number {
    return this.#grammars.size
  }

  /** Holds a new answer to a constraint. @throws GrammarError */
  constrain(constraint: GenerationConstraint): Constraint {
    const key = createHash('sha256').update(JSON.stringify(constraint)).digest('base64')
    const grammar = this.#grammars.get(key) ?? this.#compile(constraint)
    this.#grammars.delete(key)
    this.#grammars.set(key, grammar)
    if (this.#grammars.size > MOST_GRAMMARS) this.#grammars.delete(this.#grammars.keys().next().value as string)
    return new Constraint(grammar)
  }

  #compile(constraint: GenerationConstraint): TokenGrammar {
    const { vocabularySize } = this.#vocabulary
    const bytesOf = (token: number) => this.#vocabulary.decodeBytes(token)
    this.#trie ??= createTokenTrie(vocabularySize, bytesOf)
    return new TokenGrammar(new Automaton(compileConstraint(constraint)), this.#trie, bytesOf)
  }
}

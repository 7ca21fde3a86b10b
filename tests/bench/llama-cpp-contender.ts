/** llama.cpp, through node-llama-cpp and its prebuilt library (see `peer/package.json`). */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { serve } from './contender.ts'

type Token = number & { readonly token: unique symbol }
interface Sequence {
  clearHistory(): Promise<void>
  evaluateWithoutGeneratingNewTokens(tokens: readonly Token[]): Promise<void>
  evaluate(tokens: readonly Token[], options: { temperature: number; yieldEogToken: boolean }): AsyncIterable<Token>
  controlledEvaluate(
    input: readonly (Token | [Token, { generateNext: { probabilities: true } }])[],
  ): Promise<(undefined | { next: { probabilities: ReadonlyMap<Token, number> } })[]>
}
interface LlamaCpp {
  getLlama(options: { gpu: false; build: 'never'; maxThreads: number; logLevel: string }): Promise<{
    loadModel(options: { modelPath: string }): Promise<{
      createContext(options: {
        contextSize: number
        threads: { ideal: number; min: number }
        batchSize: number
        sequences: number
      }): Promise<{ getSequence(): Sequence }>
    }>
  }>
}

const require = createRequire(new URL('./peer/package.json', import.meta.url))
const { getLlama } = (await import(pathToFileURL(require.resolve('node-llama-cpp')).href)) as LlamaCpp
const BATCH = 512

let sequence: Sequence
let all: Sequence[]
const asTokens = (tokens: readonly number[]) => tokens as readonly Token[]

serve({
  name: 'llama.cpp',
  async load({ ggufPath, threads, contextLength, sequences }) {
    const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, logLevel: 'error' })
    const model = await llama.loadModel({ modelPath: ggufPath })
    const options = { contextSize: contextLength, threads: { ideal: threads, min: threads }, batchSize: BATCH }
    const context = await model.createContext({ ...options, sequences })
    all = Array.from({ length: sequences }, () => context.getSequence())
    sequence = all[0] as Sequence
  },
  async prefill(tokens) {
    await sequence.clearHistory()
    await sequence.evaluateWithoutGeneratingNewTokens(asTokens(tokens))
  },
  async generate(prompt, count, onFirst) {
    await sequence.clearHistory()
    const tokens: number[] = []
    for await (const token of sequence.evaluate(asTokens(prompt), { temperature: 0, yieldEogToken: true })) {
      tokens.push(token)
      if (tokens.length === 1) onFirst()
      if (tokens.length === count) break
    }
    return tokens
  },
  async generateMany(prompts, count, onFirst) {
    const answers = await Promise.all(
      prompts.map(async (prompt, i) => {
        const own = all[i] as Sequence
        await own.clearHistory()
        const answer = own.evaluate(asTokens(prompt), { temperature: 0, yieldEogToken: true })
        return answer[Symbol.asyncIterator]()
      }),
    )
    await Promise.all(answers.map((answer) => answer.next()))
    onFirst()
    await Promise.all(
      answers.map(async (answer) => {
        for (let i = 1; i < count; i++) await answer.next()
        await answer.return?.()
      }),
    )
  },
  async negativeLogLikelihood(tokens) {
    await sequence.clearHistory()
    let sum = 0
    for (const [i, token] of asTokens(tokens).slice(0, -1).entries()) {
      sum -= Math.log((await probabilitiesAfter([], token)).get(asTokens(tokens)[i + 1] as Token) ?? 0)
    }
    return sum
  },
  async logitGap(prompt, first, second) {
    await sequence.clearHistory()
    const tokens = asTokens(prompt)
    const probabilities = await probabilitiesAfter(tokens.slice(0, -1), tokens.at(-1) as Token)
    const log = (token: number) => Math.log(probabilities.get(token as Token) ?? 0)
    return log(first) - log(second)
  },
})

async function probabilitiesAfter(before: readonly Token[], last: Token): Promise<ReadonlyMap<Token, number>> {
  const results = await sequence.controlledEvaluate([...before, [last, { generateNext: { probabilities: true } }]])
  const next = results.at(-1)?.next
  if (!next) throw new Error('llama.cpp gave no probabilities')
  return next.probabilities
}

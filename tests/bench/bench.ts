/**
 * `npm run bench`: Tandem beside llama.cpp on the same GGUF file, with the same threads, in the same run. The two take
 * turns, round by round, so that a machine that drifts slows both; figures are medians, and ratios are what to quote.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { openRangeReader } from '#gpu-runner/store/range-reader.ts'
import { ensureModel } from '#gpu-runner/store/store.ts'
import { defaultModel } from '#models/catalogue/catalogue.ts'
import { parseGguf } from '#models/importers/gguf.ts'
import { createChatTemplate, encodeChat } from '#models/tokenizer/chat-template.ts'
import { createTokenizer } from '#models/tokenizer/tokenizer.ts'
import { measureAnswers } from './answers.ts'
import { ContenderProcess, type Measured } from './contender.ts'
import { measureEdgeOverhead } from './edge-overhead.ts'
import { measureSampling } from './sampling.ts'
import { serve } from './served.ts'

const ROUNDS = 5
const THREADS = Math.min(8, availableParallelism())
const CONTEXT = 2048
const GENERATED = 128
const SAME_TOKENS = 32
/** Sequences that decode at once, and how long each is when they begin. */
const BATCHES = [
  [2, 256],
  [8, 256],
  [16, 256],
  [16, 1024],
] as const
const BATCH_ROUNDS = 2
const BATCH_GENERATED = 32
/** llama.cpp's own log probabilities move by 0.14 (rms) when its KV cache is kept in bfloat16 instead of float16. */
const NEAR_TIE = 0.25

installPeer()
const entry = defaultModel('chat')
const root = process.env.TANDEM_MODELS ?? fileURLToPath(new URL('../../.tandem/models', import.meta.url))
const ggufPath = await ensureModel(entry, { root })

using reader = openRangeReader(ggufPath)
const { metadata } = parseGguf(reader)
const tokenizer = createTokenizer(metadata)
const template = createChatTemplate(metadata)
const text = readFileSync(new URL('./moby-dick.txt', import.meta.url), 'utf8')
const prose = tokenizer.encode(text)
const prompts = readFileSync(new URL('./prompts.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')

const tandem = new ContenderProcess('Tandem', './tandem-contender.ts')
const peer = new ContenderProcess('llama.cpp', './llama-cpp-contender.ts')
const both = [tandem, peer] as const
console.log(`${entry.id}, ${THREADS} threads, ${ROUNDS} rounds, medians\n`)
console.log(row('', 'Tandem', 'llama.cpp', 'ratio'))

const loads = []
for (const contender of both) {
  loads.push(
    await contender.do({
      task: 'load',
      options: {
        ggufPath,
        sha256: entry.file.sha256,
        threads: THREADS,
        contextLength: CONTEXT,
        sequences: Math.max(...BATCHES.map(([count]) => count)),
      },
    }),
  )
}
// The first run of each touches its memory.
for (const contender of both) await contender.do({ task: 'prefill', tokens: prose.slice(0, 512) })

for (const length of [128, 512, 1024]) {
  const task = { task: 'prefill' as const, tokens: prose.slice(0, length) }
  const [ours, theirs] = await alternate((contender) => contender.do(task))
  rate(`prefill ${length}, tokens/s`, length, ours.map(ms), theirs.map(ms))
}
for (const context of [32, 256, 1024]) {
  const task = { task: 'generate' as const, prompt: prose.slice(0, context), count: GENERATED }
  const [ours, theirs] = await alternate((contender) => contender.do(task))
  rate(`decode after ${context}, tokens/s`, GENERATED - 1, ours.map(ms), theirs.map(ms))
  if (context === 256) compare('first token after 256, ms', ours.map(firstMs), theirs.map(firstMs))
}
for (const [count, context] of BATCHES) {
  // Each another text, so that nothing can be shared.
  const prompts = Array.from({ length: count }, (_, i) => prose.slice(i, i + context))
  const task = { task: 'batch' as const, prompts, count: BATCH_GENERATED }
  const [ours, theirs] = await alternate((contender) => contender.do(task), BATCH_ROUNDS)
  rate(`${count} at once after ${context}, tokens/s`, count * (BATCH_GENERATED - 1), ours.map(ms), theirs.map(ms))
}
compare('load, ms', [loads[0]?.ms ?? 0], [loads[1]?.ms ?? 0])

const likelihood = { task: 'likelihood' as const, tokens: prose.slice(0, 1024) }
const perplexities = []
let memory: Measured[] = []
for (const contender of both) {
  const measured = await contender.do(likelihood)
  memory = [...memory, measured]
  perplexities.push(Math.exp((measured.negativeLogLikelihood ?? 0) / (likelihood.tokens.length - 1)))
}
compare('memory, MiB', [memory[0]?.memoryMiB ?? 0], [memory[1]?.memoryMiB ?? 0])
console.log(
  row('perplexity', ...perplexities.map((p) => p.toFixed(3)), ratio(perplexities[0] ?? 0, perplexities[1] ?? 0, 4)),
)

let same = 0
let nearTies = 0
for (const prompt of prompts) {
  const tokens = encodeChat(tokenizer, template, [{ role: 'user', content: prompt }])
  const task = { task: 'generate' as const, prompt: tokens, count: SAME_TOKENS }
  const ours = (await tandem.do(task)).tokens ?? []
  const theirs = (await peer.do(task)).tokens ?? []
  const at = theirs.findIndex((token, i) => token !== ours[i])
  if (at < 0) {
    same++
    continue
  }
  const [first, second] = [theirs[at] ?? 0, ours[at] ?? 0]
  const { logitGap = 0 } = await peer.do({ task: 'gap', prompt: [...tokens, ...theirs.slice(0, at)], first, second })
  if (logitGap < NEAR_TIE) nearTies++
  console.log(`  part at token ${at}, where llama.cpp's own choice leads by ${logitGap.toFixed(3)}: ${prompt}`)
}
console.log(
  `\nOf ${prompts.length} prompts, ${same} have the same ${SAME_TOKENS} greedy tokens, and ${nearTies} part at a near tie (under ${NEAR_TIE} in logits)`,
)
for (const contender of both) contender.end()

const sequences = Array.from({ length: 8 }, (_, i) => prose.slice(i, i + 256))
const model = { ggufPath, sha256: entry.file.sha256, threads: THREADS, contextLength: CONTEXT }
console.log(`\n${row('8 at once after 256', 'step, ms', 'choice, ms', 'share')}`)
for (const { way, stepMs, sampleMs } of measureSampling(model, sequences)) {
  console.log(row(way, stepMs.toFixed(2), sampleMs.toFixed(2), `${((100 * sampleMs) / stepMs).toFixed(1)} %`))
}

const served = await serve(root)
const { firstToken, nextToken } = await measureEdgeOverhead(served, entry.id)
console.log(`\n${row('', 'edge', 'runner', 'added')}`)
for (const [what, { edge, runner, added }] of [
  ['first token, ms', firstToken],
  ['each next token, ms', nextToken],
] as const) {
  console.log(row(what, edge.toFixed(2), runner.toFixed(2), added.toFixed(2)))
}

const { followUp, schema } = await measureAnswers(served, entry.id, text)
await served.stop()
console.log(
  `\nFirst token of a prompt of ${followUp.tokens} tokens after ${followUp.firstMs.toFixed(0)} ms, of the turn after it ` +
    `after ${followUp.followUpMs.toFixed(0)} ms: ${ratio(followUp.firstMs, followUp.followUpMs, 1)} times sooner`,
)
console.log(
  `Free text ${schema.free.toFixed(0)} tokens/s, held to a schema ${schema.held.toFixed(0)}: ${ratio(schema.held, schema.free)}`,
)

type Run = (contender: ContenderProcess) => Promise<Measured>
async function alternate(run: Run, rounds = ROUNDS): Promise<[Measured[], Measured[]]> {
  const measured: [Measured[], Measured[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    measured[0].push(await run(tandem))
    measured[1].push(await run(peer))
  }
  return measured
}
function ms(measured: Measured): number {
  return measured.ms
}
function firstMs(measured: Measured): number {
  return measured.firstMs ?? 0
}
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}
function rate(what: string, count: number, ours: number[], theirs: number[]): void {
  const [a, b] = [ours, theirs].map((times) => (count / median(times)) * 1000) as [number, number]
  console.log(row(what, a.toFixed(0), b.toFixed(0), ratio(a, b)))
}
function compare(what: string, ours: number[], theirs: number[]): void {
  console.log(row(what, median(ours).toFixed(0), median(theirs).toFixed(0), ratio(median(ours), median(theirs))))
}
function ratio(ours: number, theirs: number, digits = 2): string {
  return (ours / theirs).toFixed(digits)
}
function row(what: string, ...cells: string[]): string {
  return what.padEnd(32) + cells.map((cell) => cell.padStart(12)).join('')
}

/** The peer is not among the product's dependencies: it has a folder of its own. */
function installPeer(): void {
  const folder = new URL('./peer/', import.meta.url)
  if (existsSync(new URL('node_modules/node-llama-cpp', folder))) return
  console.log('Installing the peer …')
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })
}

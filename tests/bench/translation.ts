/**
 * `npm run bench:translation`: translations of LibreOffice's test pages by a model that ships, here and by CTranslate2 with
 * the same weights (its own int8), the same tokens, beams and threads, in turns. Ratios of tokens a second are what to quote.
 *
 * TANDEM_BENCH_PYTHON is a Python with ctranslate2 and onnx; `python3` by default.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import * as v from 'valibot'
import { loadTranslator } from '#gpu-runner/pipelines/translation/load-translator.ts'
import { tokenizerOf } from '#gpu-runner/pipelines/translation/stored-model.ts'
import { Runtime } from '#gpu-runner/runtime/runtime.ts'
import { libreOfficeHelp } from '#gpu-runner/trainer/data/catalogue/libreoffice-help.ts'
import { bleu } from '#gpu-runner/trainer/evaluation/bleu.ts'
import { chrf } from '#gpu-runner/trainer/evaluation/chrf.ts'
import { END } from '#models/tokenizer/translation-tokenizer.ts'
import { publishedTranslationSchema } from '#protocol/published-model.ts'

const ROUNDS = 3
const SENTENCES = 200
const THREADS = Number(process.env.TANDEM_BENCH_THREADS ?? availableParallelism())
const root = path.dirname(path.dirname(import.meta.dirname))
const python = process.env.TANDEM_BENCH_PYTHON ?? 'python3'
const models = process.env.TANDEM_MODELS ?? path.join(process.env.TANDEM_HOME ?? path.join(root, '.tandem'), 'models')
const folder = path.resolve(process.argv[2] ?? path.join(root, 'models', 'bundled', 'translation', 'en-fr'))

const read = (name: string) => readFile(path.join(folder, name))
const { parts } = v.parse(publishedTranslationSchema, JSON.parse((await read('manifest.json')).toString()))
const [vocabulary, encoder, decoder] = [
  await read('vocabulary.json'),
  await read('encoder.onnx'),
  await read('decoder.onnx'),
]
using ort = new Runtime({ threads: THREADS })
using translator = loadTranslator(ort, parts, { vocabulary, encoder, decoder })
const tokenizer = tokenizerOf(JSON.parse(vocabulary.toString()) as string[])
const languages = parts.languages as Parameters<typeof libreOfficeHelp>[1]
const test = await libreOfficeHelp('test', languages, models)
// What is longer is cut here, and not there.
const chosen = test.source
  .map((source, i) => ({ source, target: test.target[i] ?? '', tokens: [...tokenizer.encode(source), END] }))
  .filter(({ tokens }) => tokens.length <= parts.sourceLength)
  .slice(0, SENTENCES)
const references = chosen.map(({ target }) => target)

const answerSchema = v.object({ seconds: v.number(), cpu: v.number(), tokens: v.array(v.array(v.number())) })
const args = [path.join(import.meta.dirname, 'translation_contender.py'), folder, String(THREADS), String(parts.heads)]
const peer = spawn(python, args, { stdio: ['pipe', 'pipe', 'inherit'] })
const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]()
async function next(): Promise<unknown> {
  const { value, done } = await lines.next()
  if (done) throw new Error("CTranslate2's side ended: has its Python ctranslate2 and onnx?")
  return JSON.parse(value) as unknown
}
async function theirs(beam: number) {
  peer.stdin.write(`${JSON.stringify({ tokens: chosen.map(({ tokens }) => tokens), beam })}\n`)
  const { tokens, ...times } = v.parse(answerSchema, await next())
  return { ...times, texts: tokens.map((ids) => tokenizer.decode(ids)), count: tokens.flat().length }
}
function ours(beam: number) {
  const [begin, cpu] = [performance.now(), process.cpuUsage()]
  const sources = chosen.map(({ source }) => source)
  const found = translator.translate(sources, { beam, alternatives: 0, isWanted: () => true }) ?? []
  const { user, system } = process.cpuUsage(cpu)
  const times = { seconds: (performance.now() - begin) / 1e3, cpu: (user + system) / 1e6 }
  return { ...times, texts: found.map(({ text }) => text), count: found.reduce((sum, { tokens }) => sum + tokens, 0) }
}

const { ready } = v.parse(v.object({ ready: v.string() }), await next())
console.log(
  `CTranslate2 ${ready}, ${THREADS} threads, ${chosen.length} sentences, ${ROUNDS} rounds in turns, medians\n`,
)
row(['', 'Tandem', 'CTranslate2', 'ratio'])
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
for (const beam of [1, 4]) {
  const here: ReturnType<typeof ours>[] = [ours(beam)]
  const there = [await theirs(beam)]
  for (let round = 0; round < ROUNDS; round++) {
    here.push(ours(beam))
    there.push(await theirs(beam))
  }
  const measures = {
    'tokens a second': ({ count, seconds }: (typeof here)[number]) => count / seconds,
    'tokens a second of CPU': ({ count, cpu }: (typeof here)[number]) => count / cpu,
    BLEU: ({ texts }: (typeof here)[number]) => bleu(texts, references),
    'chrF++': ({ texts }: (typeof here)[number]) => chrf(texts, references),
  }
  for (const [name, measure] of Object.entries(measures)) {
    const [a, b] = [median(here.slice(1).map(measure)), median(there.slice(1).map(measure))]
    row([`beam ${beam}: ${name}`, a.toFixed(1), b.toFixed(1), (a / b).toFixed(3)])
  }
}
peer.stdin.end()
await once(peer, 'exit')

function row([what = '', ...cells]: readonly string[]): void {
  console.log(what.padEnd(32) + cells.map((cell) => cell.padStart(14)).join(''))
}

/**
 * `npm run bench:embeddings`: Tandem beside Transformers.js on all-MiniLM-L6-v2, with the same threads, in the same run.
 * The two take turns, round by round; figures are medians, and ratios are what to quote.
 *
 * Transformers.js has its ONNX file from the hub, or from `embedding-peer/models/all-MiniLM-L6-v2`, where
 * `embedding-peer/export_minilm.py` puts one that is made here.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { EmbeddingClient } from '#gpu-runner/pipelines/embeddings/embedding-client.ts'
import { ensureModel } from '#gpu-runner/store/store.ts'
import { defaultModel } from '#models/catalogue/catalogue.ts'

const ROUNDS = 5
const THREADS = Math.min(8, availableParallelism())
const WIDTH = 384
const PEER = fileURLToPath(new URL('./embedding-peer/', import.meta.url))
const NAME = 'all-MiniLM-L6-v2'
const NEVER = new AbortController().signal

type Embed = (texts: readonly string[]) => Promise<Float32Array>

/** What is used of Transformers.js. */
interface Transformers {
  readonly env: { allowRemoteModels: boolean; localModelPath: string }
  pipeline(
    task: 'feature-extraction',
    model: string,
    options: { dtype: 'fp32'; session_options: { intraOpNumThreads: number } },
  ): Promise<(texts: readonly string[], options: object) => Promise<{ readonly data: Float32Array }>>
}

async function tandem(): Promise<Embed> {
  const entry = defaultModel('embedding')
  const root = process.env.TANDEM_MODELS ?? fileURLToPath(new URL('../../.tandem/models', import.meta.url))
  const modelPath = await ensureModel(entry, { root })
  const tokenizer = readFileSync(path.join(path.dirname(modelPath), 'tokenizer.json'), 'utf8')
  const client = await EmbeddingClient.start({
    modelPath,
    tokenizer,
    contextLength: entry.context,
    threads: THREADS,
  })
  return async (inputs) => (await client.embed({ tenant: 'bench', inputs, dimensions: null }, NEVER)).vectors
}

async function transformers(): Promise<Embed> {
  if (!existsSync(path.join(PEER, 'node_modules'))) {
    console.log('Installing the peer …')
    const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund']
    execFileSync('npm', install, { cwd: PEER, stdio: 'inherit' })
  }
  const module = path.join(PEER, 'node_modules/@huggingface/transformers/dist/transformers.node.mjs')
  const { env, pipeline } = (await import(module)) as Transformers
  const here = existsSync(path.join(PEER, 'models', NAME))
  env.localModelPath = path.join(PEER, 'models')
  env.allowRemoteModels = !here
  const options = { dtype: 'fp32', session_options: { intraOpNumThreads: THREADS } } as const
  const extract = await pipeline('feature-extraction', here ? NAME : `Xenova/${NAME}`, options)
  return async (texts) => (await extract(texts, { pooling: 'mean', normalize: true })).data
}

const prose = readFileSync(new URL('./moby-dick.txt', import.meta.url), 'utf8')
const words = prose.split(/\s+/)
const sentences = [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(prose)]
  .map(({ segment }) => segment.trim())
  .filter((sentence) => sentence !== '')
const passages = (length: number) =>
  Array.from({ length: Math.floor(words.length / length) }, (_, i) =>
    words.slice(i * length, (i + 1) * length).join(' '),
  )

/** By name: requests of so many texts each. */
const CASES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'sentences as they come': [sentences],
  'sentences one by one': sentences.slice(0, 8).map((sentence) => [sentence]),
  'passages of 25 words': [passages(25)],
  'passages of 150 words': [passages(150)],
}

const contenders = [await tandem(), await transformers()] as const
console.log(`${NAME}, ${THREADS} threads, ${ROUNDS} rounds, medians, texts/s\n`)
console.log(row('', 'Tandem', 'Transformers.js', 'ratio', 'least cosine'))
for (const [name, requests] of Object.entries(CASES)) {
  const texts = requests.flat()
  const [ours, theirs] = (await Promise.all(contenders.map((embed) => all(embed, requests)))) as [
    Float32Array,
    Float32Array,
  ]
  const cosine = Math.min(...texts.map((_, i) => product(ours, theirs, i)))
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, embed] of contenders.entries()) {
      const started = performance.now()
      await all(embed, requests)
      times[i]?.push(performance.now() - started)
    }
  }
  const [a = 0, b = 0] = times.map((each) => (texts.length / median(each)) * 1000)
  console.log(row(name, a.toFixed(1), b.toFixed(1), (a / b).toFixed(2), cosine.toFixed(6)))
}
process.exit(0)

/** One request after the other; what they give, joined. */
async function all(embed: Embed, requests: readonly (readonly string[])[]): Promise<Float32Array> {
  const parts: number[] = []
  for (const texts of requests) parts.push(...(await embed(texts)))
  return Float32Array.from(parts)
}
/** Of the two vectors of a text. */
function product(a: Float32Array, b: Float32Array, text: number): number {
  let sum = 0
  for (let i = text * WIDTH; i < (text + 1) * WIDTH; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}
function row(what: string, ...cells: string[]): string {
  return what.padEnd(26) + cells.map((cell) => cell.padStart(17)).join('')
}

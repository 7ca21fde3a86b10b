/**
 * Runs models in a worker of their own, one at a time, so that the page stays quick. The page's security policy lets
 * nothing be compiled; a worker goes by the policy that its own file was sent with, which lets WebAssembly be.
 */
import { env, InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-web/wasm'
import type { Asked, Told } from './messages.ts'
import type { Tensors } from './tensor.ts'

/** The one used longest ago makes room. */
const MOST_MODELS = 8

env.wasm.numThreads = 1

const sessions = new Map<string, InferenceSession>()
let turn: Promise<void> = Promise.resolve()

addEventListener('message', ({ data }: MessageEvent<Asked>) => {
  turn = turn.then(async () => {
    const told = await answer(data).catch(
      (error: unknown): Told => ({ id: data.id, error: error instanceof Error ? error.message : String(error) }),
    )
    const transfer = 'outputs' in told ? Object.values(told.outputs).map(({ data: { buffer } }) => buffer) : []
    postMessage(told, { transfer })
  })
})

async function answer({ id, sha256, path, inputs }: Asked): Promise<Told> {
  const session = await sessionOf(sha256, path)
  return { id, outputs: inputs === null ? {} : await run(session, inputs) }
}

async function sessionOf(sha256: string, path: string): Promise<InferenceSession> {
  const known = sessions.get(sha256)
  const session = known ?? (await open(sha256, path))
  sessions.delete(sha256)
  sessions.set(sha256, session)
  const [oldest] = sessions
  if (oldest && sessions.size > MOST_MODELS) {
    sessions.delete(oldest[0])
    await oldest[1].release()
  }
  return session
}

async function open(sha256: string, path: string): Promise<InferenceSession> {
  // The browser itself holds the bytes against the hash; a file that is not there has another.
  const response = await fetch(path, { integrity: `sha256-${base64(sha256)}` }).catch((cause: unknown) => {
    throw new Error(`The model's file could not be fetched, or is not what its hash says: ${sha256}`, { cause })
  })
  const bytes = new Uint8Array(await response.arrayBuffer())
  return InferenceSession.create(bytes, { executionProviders: ['wasm'], logSeverityLevel: 4 })
}

async function run(session: InferenceSession, inputs: Tensors): Promise<Tensors> {
  const feeds = Object.entries(inputs).map(([name, { data, shape }]) => [
    name,
    new OnnxTensor('float32', data, [...shape]),
  ])
  const results = await session.run(Object.fromEntries(feeds))
  return Object.fromEntries(
    Object.entries(results).map(([name, { data, dims }]) => {
      if (!(data instanceof Float32Array)) throw new TypeError(`The model's output '${name}' is not float32.`)
      // A copy: the engine's own memory is not to be given away.
      return [name, { data: new Float32Array(data), shape: dims }]
    }),
  )
}

/** Of bytes that are written as hexadecimal digits. */
function base64(digits: string): string {
  return btoa(digits.replaceAll(/../g, (byte) => String.fromCharCode(Number.parseInt(byte, 16))))
}

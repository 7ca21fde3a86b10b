/**
 * Models that run in this browser: ONNX Runtime in a worker, both fetched when the first model is opened. The files are
 * those that run at the edge.
 */
import type { Asked, Told } from './messages.ts'
import type { Tensors } from './tensor.ts'

export interface BrowserModel {
  /** @throws Error from the engine, as for inputs that are not the model's */
  run(inputs: Tensors): Promise<Tensors>
}

/** A model's file: where it is, and the hash that it has to have. */
export interface ModelFile {
  readonly sha256: string
  readonly path: string
}

interface Waiting {
  readonly resolve: (outputs: Tensors) => void
  readonly reject: (reason: Error) => void
}

class ModelWorker {
  readonly #worker = new Worker(new URL('./model-worker.ts', import.meta.url), { type: 'module' })
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1

  /** @param died is called when the worker can be asked nothing more */
  constructor(died: () => void) {
    this.#worker.addEventListener('message', ({ data }: MessageEvent<Told>) => {
      const waiting = this.#waiting.get(data.id)
      this.#waiting.delete(data.id)
      if ('error' in data) waiting?.reject(new Error(data.error))
      else waiting?.resolve(data.outputs)
    })
    this.#worker.addEventListener('error', ({ message }) => {
      died()
      this.#worker.terminate()
      const reason = new Error(`The worker that runs models has failed: ${message ?? 'it could not be loaded'}`)
      for (const { reject } of this.#waiting.values()) reject(reason)
      this.#waiting.clear()
    })
  }

  ask(file: ModelFile, inputs: Tensors | null): Promise<Tensors> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker.postMessage({ id, ...file, inputs } satisfies Asked)
    })
  }
}

let worker: ModelWorker | null = null

function ask(file: ModelFile, inputs: Tensors | null): Promise<Tensors> {
  worker ??= new ModelWorker(() => {
    worker = null
  })
  return worker.ask(file, inputs)
}

/**
 * Loads a model, if it is not loaded yet.
 * @throws Error if the file cannot be fetched, is not what its hash says, or is no model
 */
export async function openModel(file: ModelFile): Promise<BrowserModel> {
  await ask(file, null)
  return { run: (inputs) => ask(file, inputs) }
}

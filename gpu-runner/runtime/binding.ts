import { Handle } from './handle.ts'
import type { Device } from './memory.ts'
import { type Api, made } from './ort-c-api.ts'
import type { Tensor } from './tensor.ts'

/** One way of calling a session: which tensor feeds which input, and which takes which output. */
export class Binding implements Disposable {
  readonly #api: Api
  readonly #session: Handle<'Session'>
  readonly #options: Handle<'RunOptions'>
  readonly #handle: Handle<'IoBinding'>
  readonly #holds: Disposable[] = []
  /** The tensors' buffers: the native side keeps only their addresses. */
  readonly #tensors: readonly Tensor[]
  /** Inputs that binding copies to a GPU, so that each run begins with binding them anew. */
  readonly #copied: readonly (readonly [name: string, tensor: Tensor])[]

  constructor(
    api: Api,
    session: Handle<'Session'>,
    device: Device,
    inputs: Readonly<Record<string, Tensor>>,
    outputs: Readonly<Record<string, Tensor>>,
  ) {
    this.#api = api
    this.#session = session
    this.#handle = new Handle(
      'binding',
      made((out) => api.CreateIoBinding(session.pointer, out)),
      api.ReleaseIoBinding,
    )
    this.#options = new Handle(
      'run options',
      made((out) => api.CreateRunOptions(out)),
      api.ReleaseRunOptions,
    )
    this.#tensors = [...Object.values(inputs), ...Object.values(outputs)]
    this.#copied = device === 'cpu' ? [] : Object.entries(inputs).filter(([, tensor]) => !tensor.onDevice)
    this.#holds.push(session.hold(), ...this.#tensors.map((tensor) => tensor.handle.hold()))
    try {
      for (const [name, tensor] of Object.entries(inputs)) {
        api.BindInput(this.#handle.pointer, name, tensor.handle.pointer)
      }
      for (const [name, tensor] of Object.entries(outputs)) {
        api.BindOutput(this.#handle.pointer, name, tensor.handle.pointer)
      }
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  /**
   * Runs the graph on this thread; inputs are read and outputs written in place, except those in RAM of a graph on a GPU,
   * which are copied there and back. Throws OrtError.
   */
  run(): void {
    for (const [name, tensor] of this.#copied) {
      this.#api.BindInput(this.#handle.pointer, name, tensor.handle.pointer)
    }
    this.#api.RunWithBinding(this.#session.pointer, this.#options.pointer, this.#handle.pointer)
  }

  [Symbol.dispose](): void {
    this.#handle.release()
    this.#options.release()
    for (const hold of this.#holds.splice(0)) hold[Symbol.dispose]()
  }
}

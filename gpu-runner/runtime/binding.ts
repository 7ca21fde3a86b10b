import { Handle } from './handle.ts'
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

  constructor(
    api: Api,
    session: Handle<'Session'>,
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

  /** Runs the graph on this thread; inputs are read and outputs written in place. Throws OrtError. */
  run(): void {
    this.#api.RunWithBinding(this.#session.pointer, this.#options.pointer, this.#handle.pointer)
  }

  [Symbol.dispose](): void {
    this.#handle.release()
    this.#options.release()
    for (const hold of this.#holds.splice(0)) hold[Symbol.dispose]()
  }
}

/** ONNX Runtime's native build: what runners have, and what the others are compared with. */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Host } from './host.ts'

export const node: Host = {
  name: 'Node',
  async run(model, inputs) {
    const session = await InferenceSession.create(model)
    const feeds = Object.entries(inputs).map(([name, { data, shape }]) => [name, new Tensor('float32', data, shape)])
    const results = await session.run(Object.fromEntries(feeds))
    await session.release()
    return Object.fromEntries(
      Object.entries(results).map(([name, { data, dims }]) => [
        name,
        { data: [...(data as Float32Array)], shape: dims },
      ]),
    )
  },
  async [Symbol.asyncDispose]() {},
}

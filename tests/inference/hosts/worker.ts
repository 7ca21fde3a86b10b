/** A Worker that runs what it is sent. */
import { createSession } from '#edge/inference/onnx-runtime.ts'
import type { Tensors } from './host.ts'

export default {
  async fetch(request: Request): Promise<Response> {
    const { model, inputs } = (await request.json()) as { model: string; inputs: Tensors }
    const session = await createSession(Uint8Array.from(atob(model), (character) => character.charCodeAt(0)))
    const feeds = Object.entries(inputs).map(([name, { data, shape }]) => [
      name,
      { data: Float32Array.from(data), shape },
    ])
    const outputs = await session.run(Object.fromEntries(feeds))
    await session.release()
    const told = Object.entries(outputs ?? {}).map(([name, { data, shape }]) => [name, { data: [...data], shape }])
    return Response.json(Object.fromEntries(told))
  },
}

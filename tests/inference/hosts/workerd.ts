/** The edge's own engine in workerd, without the edge around it, whose pictures are rounded to a byte a sample. */
import path from 'node:path'
import { Miniflare } from 'miniflare'
import { bundleWorker } from '#edge/testing/bundle.ts'
import type { Host, Tensors } from './host.ts'

/** A Worker made of one file, without any binding. */
export async function startWorker(file: string): Promise<Miniflare> {
  const { script, wasm } = await bundleWorker(path.join(import.meta.dirname, file))
  return new Miniflare({
    cf: false,
    telemetry: { enabled: false },
    enableDevRegistry: false,
    workers: [
      {
        config: {
          name: 'models',
          compatibilityDate: '2026-11-01',
          manifest: {
            mainModule: 'worker.js',
            modules: {
              'worker.js': { type: 'esm', contents: script },
              ...Object.fromEntries(
                Object.entries(wasm).map(([name, contents]) => [name, { type: 'wasm' as const, contents }]),
              ),
            },
          },
        },
      },
    ],
  })
}

export async function startWorkerd(): Promise<Host> {
  const miniflare = await startWorker('worker.ts')
  return {
    name: 'workerd',
    async run(model, inputs) {
      const body = JSON.stringify({ model: Buffer.from(model).toString('base64'), inputs })
      const response = await miniflare.dispatchFetch('http://models/', { method: 'POST', body })
      if (!response.ok) throw new Error(await response.text())
      return (await response.json()) as Tensors
    },
    [Symbol.asyncDispose]: () => miniflare.dispose(),
  }
}

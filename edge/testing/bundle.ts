/** A Worker's modules, much as wrangler bundles them. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { build, type Plugin } from 'esbuild'

const EDGE = path.join(import.meta.dirname, '..', 'worker.ts')
const require = createRequire(import.meta.url)

export interface WorkerModules {
  readonly script: string
  /** By the names that the script imports them by. */
  readonly wasm: Readonly<Record<string, Uint8Array<ArrayBuffer>>>
}

/** @param entry by default the edge's own */
export async function bundleWorker(entry = EDGE): Promise<WorkerModules> {
  const wasm: Record<string, Uint8Array<ArrayBuffer>> = {}
  const besides: Plugin = {
    name: 'wasm',
    setup: ({ onResolve }) =>
      onResolve({ filter: /\.wasm$/ }, async ({ path: imported }) => {
        const name = path.basename(imported)
        wasm[name] = await readFile(require.resolve(imported))
        return { path: `./${name}`, external: true }
      }),
  }
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    target: 'esnext',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:workers'],
    plugins: [besides],
    write: false,
    logLevel: 'silent',
  })
  return { script: outputFiles.map((file) => file.text).join(''), wasm }
}

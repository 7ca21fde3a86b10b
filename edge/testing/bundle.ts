/** The Worker as one module, much as wrangler bundles it. */
import path from 'node:path'
import { build } from 'esbuild'

const ENTRY = path.join(import.meta.dirname, '..', 'worker.ts')

export async function bundleWorker(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [ENTRY],
    bundle: true,
    format: 'esm',
    target: 'esnext',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:workers'],
    write: false,
    logLevel: 'silent',
  })
  return outputFiles.map((file) => file.text).join('')
}

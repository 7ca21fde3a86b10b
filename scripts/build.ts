/**
 * `npm run build`: the page (Vite) into dist/web and the Worker (wrangler, as it would be deployed) into dist/edge, each
 * only if what it is made from has changed. A build replaces the one before in one piece, when it is whole.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { copyBundledModels } from '#models/bundled/files.ts'
import { Child, describeEnd } from './child-process.ts'
import { waitForLock } from './file-lock.ts'
import { fingerprint, isBuilt, outputOf, stampOf, type Target } from './fingerprint.ts'
import { ROOT } from './settings.ts'
import { StartError } from './start-error.ts'

/** Beside the Worker's code: what Miniflare needs to know of it, from wrangler.toml. */
export const WORKER_OPTIONS = 'options.json'

const CONFIG = path.join(ROOT, 'wrangler.toml')
/** Wrangler neither calls home nor leaves logs in the user's home. */
export const WRANGLER_ENV = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_WRITE_LOGS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
}

const BUILDERS: Readonly<Record<Target, (output: string) => Promise<void>>> = {
  web: async (output) => {
    await runTool('vite/bin/vite.js', ['build', '--config', 'web/vite.config.ts', '--outDir', output, '--emptyOutDir'])
    await copyBundledModels(path.join(output, 'models'))
  },
  edge: async (output) => {
    await runTool('wrangler/bin/wrangler.js', ['deploy', '--dry-run', '--outdir', output])
    Object.assign(process.env, WRANGLER_ENV)
    const { unstable_getMiniflareWorkerOptions } = await import('wrangler')
    const { workerOptions } = unstable_getMiniflareWorkerOptions(CONFIG)
    writeFileSync(path.join(output, WORKER_OPTIONS), JSON.stringify(workerOptions, null, 2))
  },
}

async function runTool(script: string, args: string[]): Promise<void> {
  const tool = path.join(ROOT, 'node_modules', script)
  const child = new Child({ args: [tool, ...args], cwd: ROOT, env: { ...process.env, ...WRANGLER_ENV, NO_COLOR: '1' } })
  const stop = () => child.kill()
  process.once('exit', stop)
  const end = await child.ended
  process.off('exit', stop)
  if (end.code !== 0) throw new StartError(`${path.basename(script)} failed (${describeEnd(end)}):\n${end.output}`)
}

async function build(target: Target): Promise<void> {
  if (isBuilt(target)) return
  const started = performance.now()
  const stamp = fingerprint(target)
  const output = outputOf(target)
  const fresh = path.join(path.dirname(output), `.${target}-new`)
  const old = path.join(path.dirname(output), `.${target}-old`)
  rmSync(fresh, { recursive: true, force: true })
  await BUILDERS[target](fresh)
  rmSync(stampOf(target), { force: true })
  rmSync(old, { recursive: true, force: true })
  renameSync(output, old)
  renameSync(fresh, output)
  writeFileSync(stampOf(target), stamp)
  rmSync(old, { recursive: true, force: true })
  console.log(`Built ${target} in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

async function main(): Promise<void> {
  const targets: Target[] = ['web', 'edge']
  // Wrangler wants the page's folder to be there, built or not.
  for (const target of targets) mkdirSync(outputOf(target), { recursive: true })
  using _lock = await waitForLock(path.join(ROOT, 'dist', '.build-lock'), () =>
    console.log('Waiting for another build of this checkout …'),
  )
  await Promise.all(targets.map(build))
}

if (import.meta.main) {
  // Ending ends the tools too.
  for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.once(signal, () => process.exit(1))
  main().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error instanceof StartError ? error.message : error)
      process.exit(1)
    },
  )
}

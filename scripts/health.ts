/**
 * `node scripts/health.ts edge|runner`: whether the one on this machine answers, for the health checks of containers.
 * Exit codes: 0 it does, 1 it does not.
 */
import { StartError } from './start-error.ts'

const TIMEOUT_MS = 5_000

async function main([name]: readonly string[]): Promise<void> {
  const { PORT = '8787', RUNNER_PORT = '4711', RUNNER_SECRET = '' } = process.env
  if (name !== 'edge' && name !== 'runner') throw new StartError('Usage: node scripts/health.ts edge|runner')
  const url = `http://127.0.0.1:${name === 'edge' ? PORT : RUNNER_PORT}/health`
  const headers: Record<string, string> = name === 'edge' ? {} : { authorization: `Bearer ${RUNNER_SECRET}` }
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
  const text = await response.text()
  if (!response.ok) throw new StartError(`${url}: ${response.status} ${text}`)
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof StartError ? error.message : error)
  process.exit(1)
})

/** A runner and an edge for a measurement: the runner's process, and the Worker in workerd in front of it. */
import { fork } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Edge, startEdge } from '#edge/testing/edge.ts'
import { RUNNER_SECRET } from '#edge/testing/stub-runner.ts'
import { freePort } from '#scripts/door.ts'

/** As where Tandem is started. */
const RUNNER_TIMEOUT_MS = 60_000

export interface Served {
  readonly edge: Edge
  readonly runnerUrl: string
  readonly runnerPid: number
  stop(): Promise<void>
}

/** @param models the folder that has the default model */
export async function serve(models: string): Promise<Served> {
  const port = await freePort()
  const runner = fork(fileURLToPath(new URL('../../gpu-runner/main.ts', import.meta.url)), {
    env: { ...process.env, RUNNER_PORT: String(port), RUNNER_SECRET, TANDEM_MODELS: models },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const runnerUrl = `http://127.0.0.1:${port}`
  const edge = await startEdge({ runnerUrl, runnerTimeoutMs: RUNNER_TIMEOUT_MS })
  await loaded(runnerUrl)
  return {
    edge,
    runnerUrl,
    runnerPid: runner.pid as number,
    async stop() {
      await edge.stop()
      runner.kill()
    },
  }
}

async function loaded(url: string): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/health`, { headers: { authorization: `Bearer ${RUNNER_SECRET}` } }).catch(
      () => undefined,
    )
    await response?.body?.cancel()
    if (response?.ok) return
    await delay(100)
  }
}

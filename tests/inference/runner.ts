/** A runner that draws: its own server and its own thread, without a chat model. */
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { RUNNER_SECRET } from '#edge/testing/stub-runner.ts'
import { ImageClient } from '#gpu-runner/images/image-client.ts'
import { images } from '#gpu-runner/routes/images.ts'
import { createRunnerServer, sendJson } from '#gpu-runner/routes/server.ts'

export interface DrawingRunner extends AsyncDisposable {
  readonly url: string
  /** Where it keeps what it has fetched. */
  readonly folder: string
  /** Says where the edge is. */
  use(edge: string): void
}

export async function startDrawingRunner(): Promise<DrawingRunner> {
  const root = await mkdtemp(path.join(tmpdir(), 'tandem-runner-'))
  let client: ImageClient | undefined
  const server = createRunnerServer(RUNNER_SECRET, {
    'GET /health': ({ response }) => sendJson(response, 200, { status: 'ok' }),
    'POST /images': (exchange) =>
      images({
        draw(work, signal) {
          if (!client) throw new TypeError('the runner was not told where the edge is')
          return client.draw(work, signal)
        },
      })(exchange),
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    folder: path.join(root, 'published'),
    use(edge) {
      client = new ImageClient({ root, edge, secret: RUNNER_SECRET, threads: 1 })
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await client?.[Symbol.asyncDispose]()
      await rm(root, { recursive: true, force: true })
    },
  }
}

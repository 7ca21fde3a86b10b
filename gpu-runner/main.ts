/**
 * The runner's process (`npm run runner`, or a child of `npm start`): serves at once, says `starting` until its default
 * model answers, and ends with its parent.
 * Exit codes: 0 asked to stop, 78 settings that cannot be met, 1 anything else; the parent starts it again after that.
 */
import { defaultModel } from '#models/catalogue/catalogue.ts'
import { ChatModel, describeModel } from './chat-model.ts'
import { chooseDevice } from './cuda/choose-device.ts'
import { Metrics } from './metrics.ts'
import { ModelPool } from './model-pool.ts'
import { generations } from './routes/generations.ts'
import { createRunnerServer, sendJson } from './routes/server.ts'
import { tokens } from './routes/tokens.ts'
import { readSettings, SettingsError } from './settings.ts'
import { installedModels } from './store/installed.ts'
import type { PullProgress } from './store/progress.ts'
import { ensureModel } from './store/store.ts'

const EX_CONFIG = 78
/** Its graph for prompts and that for tokens each hold a model's weights. */
const WEIGHT_COPIES = 2
/** Models that share the memory for keys and values; more than that take turns. */
const MOST_SHARES = 3
const MS_BETWEEN_PROGRESS = 10_000

/** A line now and then of what is fetched, which may take minutes. */
function progressLog(model: string): (progress: PullProgress) => void {
  let nextAt = 0
  return ({ source, receivedBytes, totalBytes }) => {
    if (performance.now() < nextAt) return
    nextAt = performance.now() + MS_BETWEEN_PROGRESS
    console.log(
      JSON.stringify({ level: 'info', event: 'model-fetching', model, source, bytes: receivedBytes, of: totalBytes }),
    )
  }
}

async function main(): Promise<void> {
  const settings = readSettings(process.env)
  const { models: root, threads, memory } = settings
  const { cuda, why } = chooseDevice(settings.device, root)
  const device = cuda === undefined ? 'cpu' : 'cuda'
  console.log(JSON.stringify({ level: 'info', event: 'device-chosen', device, why }))
  const first = defaultModel('chat')
  const metrics = new Metrics()
  const share = () => Math.min(MOST_SHARES, Math.max(1, installedModels(root).length))
  const pool = new ModelPool<ChatModel>({
    installed: () => installedModels(root),
    load: async (entry) =>
      ChatModel.load({
        entry,
        path: await ensureModel(entry, { root, onProgress: progressLog(entry.id) }),
        device,
        cuda,
        threads,
        memory: { ...memory, kvBytes: memory.kvBytes / share() },
      }),
    bytesOf: ({ file }) => WEIGHT_COPIES * file.size + memory.kvBytes / share() + memory.prefixCacheBytes,
    mostBytes: memory.modelBytes,
    log: (event) => console.log(JSON.stringify({ level: 'info', device, ...event })),
    now: () => performance.now(),
  })
  const find = (name: string): ChatModel => pool.find(name)
  let started = false
  const server = createRunnerServer(settings.secret, {
    'GET /health': ({ response }) =>
      started
        ? sendJson(response, 200, { status: 'ok' })
        : sendJson(response, 503, { status: 'starting', detail: first.id }),
    'GET /models': ({ response }) =>
      sendJson(response, 200, {
        models: started ? installedModels(root).map((entry) => describeModel(entry, device)) : [],
      }),
    'GET /metrics': async ({ response }) => {
      metrics.setSlots([...pool.all()].map(([id, { engine }]) => [id, engine.slots]))
      response.writeHead(200, { 'content-type': metrics.contentType })
      response.end(await metrics.text())
    },
    'POST /generations': generations(find, metrics),
    'POST /tokens': tokens(find),
  })
  const stop = () => {
    server.close()
    server.closeAllConnections()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.once(signal, stop)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(settings.port, settings.host, resolve)
  })
  await pool.load(first)
  started = true
  await pool.died
}

main().catch((error: unknown) => {
  console.error(error instanceof SettingsError ? error.message : error)
  process.exit(error instanceof SettingsError ? EX_CONFIG : 1)
})

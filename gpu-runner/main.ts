/**
 * The runner's process: serves on loopback at once, says `starting` until its model answers, and ends with its parent.
 * Exit codes: 0 asked to stop, 78 settings that cannot be met, 1 anything else; the parent starts it again after that.
 */
import { defaultModel } from '#models/catalogue/catalogue.ts'
import { ApiError } from '#protocol/error.ts'
import { ChatModel } from './chat-model.ts'
import { chooseDevice } from './cuda/choose-device.ts'
import { Metrics } from './metrics.ts'
import { generations } from './routes/generations.ts'
import { createRunnerServer, sendJson } from './routes/server.ts'
import { tokens } from './routes/tokens.ts'
import { readSettings, SettingsError } from './settings.ts'
import { ensureModel } from './store/store.ts'

const EX_CONFIG = 78
const RETRY_SECONDS = 2

async function main(): Promise<void> {
  const settings = readSettings(process.env)
  const entry = defaultModel('chat')
  const metrics = new Metrics()
  let model: ChatModel | undefined

  const find = (name: string): ChatModel => {
    if (name !== entry.id) {
      throw new ApiError('model_not_found', `The model \`${name}\` does not exist.`, { param: 'model' })
    }
    if (!model) throw new ApiError('model_loading', `The model \`${name}\` is loading.`, { retryAfter: RETRY_SECONDS })
    return model
  }
  const server = createRunnerServer(settings.secret, {
    'GET /health': ({ response }) =>
      model
        ? sendJson(response, 200, { status: 'ok' })
        : sendJson(response, 503, { status: 'starting', detail: entry.id }),
    'GET /models': ({ response }) => sendJson(response, 200, { models: model ? [model.info] : [] }),
    'GET /metrics': async ({ response }) => {
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
    server.listen(settings.port, '127.0.0.1', resolve)
  })

  const started = performance.now()
  const path = await ensureModel(entry, { root: settings.models })
  const { cuda, why } = chooseDevice(settings.device, settings.models)
  const device = cuda === undefined ? 'cpu' : 'cuda'
  console.log(JSON.stringify({ level: 'info', event: 'device-chosen', device, why }))
  model = await ChatModel.load({
    entry,
    path,
    device,
    cuda,
    threads: settings.threads,
    memory: settings.memory,
  })
  const ms = Math.round(performance.now() - started)
  console.log(JSON.stringify({ level: 'info', event: 'model-loaded', model: entry.id, device, ms }))
  await model.engine.died
}

main().catch((error: unknown) => {
  console.error(error instanceof SettingsError ? error.message : error)
  process.exit(error instanceof SettingsError ? EX_CONFIG : 1)
})

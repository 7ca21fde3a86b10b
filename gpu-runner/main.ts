/**
 * The runner's process (`npm run runner`, or a child of `npm start`): serves at once, says `starting` until its default
 * model answers, and ends with its parent.
 * Exit codes: 0 asked to stop, 78 settings that cannot be met, 1 anything else; the parent starts it again after that.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { defaultModel } from '#models/catalogue/catalogue.ts'
import { ApiError } from '#protocol/error.ts'
import { chooseDevice } from './cuda/choose-device.ts'
import { EndedGenerations } from './ended-generations.ts'
import type { EngineClient } from './engine/engine-client.ts'
import { Heartbeats, type RunnerState } from './heartbeats.ts'
import { ImageClient } from './images/image-client.ts'
import { EdgeJobs } from './jobs/edge-jobs.ts'
import { JobLoop } from './jobs/job-loop.ts'
import { Metrics } from './metrics.ts'
import { embeddings } from './routes/embeddings.ts'
import { generations } from './routes/generations.ts'
import { images } from './routes/images.ts'
import { createRunnerServer, type Route, sendJson } from './routes/server.ts'
import { tokenizers } from './routes/tokenizers.ts'
import { tokens } from './routes/tokens.ts'
import { translations } from './routes/translations.ts'
import { RunnerModels } from './runner-models.ts'
import { readSettings, SettingsError } from './settings.ts'
import { PublishedFiles } from './store/published-files.ts'
import { TranslationModels } from './translation-models.ts'

const EX_CONFIG = 78
/** How long what is being answered may take when it is told to stop. */
const DRAIN_MS = 30_000
const MS_BETWEEN_LOOKS = 10

/** Settles when all of them have been answered, and nothing runs any more. */
async function idle(open: ReadonlySet<ServerResponse>, running: () => number): Promise<void> {
  while (open.size > 0) await Promise.all([...open].map((response) => once(response, 'close')))
  // What nobody waits for any more leaves between two tokens.
  while (running() > 0) await delay(MS_BETWEEN_LOOKS)
}

async function main(): Promise<void> {
  const settings = readSettings(process.env)
  const { cuda, why } = chooseDevice(settings.device, settings.models)
  const device = cuda === undefined ? 'cpu' : 'cuda'
  console.log(JSON.stringify({ level: 'info', event: 'device-chosen', device, why }))
  const first = defaultModel('chat')
  const metrics = new Metrics()
  const models = new RunnerModels({ ...settings, device, cuda })
  const files = { root: settings.models, edge: settings.edge, secret: settings.secret }
  const translators = await TranslationModels.open({ threads: settings.threads, files })
  const describeModels = () => [...models.describe(), ...translators.describe()]
  const ended = new EndedGenerations()
  /** Answers unless this runner is stopping, which waits for what is open. */
  const tracked =
    (answer: Route): Route =>
    (exchange) => {
      if (draining) throw new ApiError('runner_unavailable', 'This runner is stopping.', { retryAfter: 1 })
      open.add(exchange.response)
      exchange.response.once('close', () => open.delete(exchange.response))
      return answer(exchange)
    }
  const findChat = (name: string) => models.findChat(name)
  const painter = new ImageClient({ ...files, threads: settings.threads })
  let started = false
  const server = createRunnerServer(settings.secret, {
    'GET /health': ({ response }) =>
      started
        ? sendJson(response, 200, { status: 'ok' })
        : sendJson(response, 503, { status: 'starting', detail: first.id }),
    'GET /models': ({ response }) => sendJson(response, 200, { models: started ? describeModels() : [] }),
    'GET /metrics': async ({ response }) => {
      metrics.setSlots(models.chats().map(([id, { engine }]) => [id, engine.slots]))
      response.writeHead(200, { 'content-type': metrics.contentType })
      response.end(await metrics.text())
    },
    'POST /generations': tracked(generations(findChat, metrics, ended)),
    'POST /embeddings': tracked(embeddings((name) => models.findEmbedding(name), metrics)),
    'POST /images': tracked(images(painter)),
    'POST /translate': tracked(translations(translators)),
    'POST /tokens': tokens(findChat),
    'POST /tokenizers': tokenizers((name) => models.find(name)),
  })
  const open = new Set<ServerResponse>()
  let draining = false
  const describe = (): RunnerState => {
    const engines = models.chats().map(([, { engine }]) => engine)
    const sum = (pick: (engine: EngineClient) => number) => engines.reduce((total, engine) => total + pick(engine), 0)
    const running = sum(({ requests, slots }) => Math.min(requests, slots))
    return {
      status: draining ? 'draining' : started ? 'ok' : 'starting',
      device,
      models: started ? describeModels() : [],
      loaded: models.loaded(),
      load: { running, waiting: sum(({ requests }) => requests) - running, slots: sum(({ slots }) => slots) },
    }
  }
  let heartbeats: Heartbeats | undefined
  let jobs: JobLoop | undefined
  /** Takes nothing more, and ends what it has; a second signal, or too long a wait, ends it at once. */
  const drain = async () => {
    if (draining) process.exit(0)
    draining = true
    console.log(JSON.stringify({ level: 'info', event: 'draining', open: open.size }))
    await heartbeats?.tell()
    const answered = idle(open, () => describe().load.running + models.embedding() + translators.requests)
    await Promise.race([Promise.all([answered, jobs?.stop()]), delay(DRAIN_MS)])
    await heartbeats?.tellAll()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void drain())
  process.once('disconnect', () => process.exit(0))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(settings.port, settings.host, resolve)
  })
  if (settings.edge !== undefined) {
    const { port } = server.address() as AddressInfo
    const url = settings.advertisedUrl ?? `http://127.0.0.1:${port}`
    heartbeats = new Heartbeats({ edge: settings.edge, secret: settings.secret, url, describe, ended })
    jobs = new JobLoop({
      edge: new EdgeJobs({ edge: settings.edge, secret: settings.secret, runner: randomUUID() }),
      published: new PublishedFiles(files),
      folder: settings.jobs,
      threads: settings.threads,
      log: (event) => console.log(JSON.stringify(event)),
    })
  }
  await models.load(first)
  started = true
  await heartbeats?.tell()
  await models.died
}

main().catch((error: unknown) => {
  console.error(error instanceof SettingsError ? error.message : error)
  process.exit(error instanceof SettingsError ? EX_CONFIG : 1)
})

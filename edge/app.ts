/** The edge: what every request passes through, and where it is answered. */
import { Hono } from 'hono'
import { ApiError } from '#protocol/error.ts'
import { accountOf, rateLimits } from './accounts/admission.ts'
import { type EdgeContext, type EdgeEnv, mayCall, principalOf } from './context.ts'
import { dialectOf } from './http/dialect.ts'
import { logFailure } from './http/log.ts'
import { concealed, renderError } from './http/render-error.ts'
import { auth } from './middleware/auth.ts'
import { drain } from './middleware/drain.ts'
import { PAGE_ADDRESSES } from './middleware/public-routes.ts'
import { requestId } from './middleware/request-id.ts'
import { securityHeaders } from './middleware/security-headers.ts'
import { documentOperations } from './openapi/routes.ts'
import { anomalyOperation } from './routes/anomalies.ts'
import { chatOperations } from './routes/chat.ts'
import { completionOperations } from './routes/completions.ts'
import { embeddingOperation } from './routes/embeddings.ts'
import { deeplOperations } from './routes/deepl.ts'
import { translatedDocumentOperations } from './routes/documents.ts'
import { exportOperation } from './routes/conversation-export.ts'
import { conversationOperations } from './routes/conversations.ts'
import { fileOperations } from './routes/files.ts'
import { glossaryOperations } from './routes/glossaries.ts'
import { healthOperation } from './routes/health.ts'
import { imageFileOperation } from './routes/image-files.ts'
import { imageGenerationOperation } from './routes/image-generations.ts'
import { imageOperations } from './routes/images.ts'
import { keyOperations } from './routes/keys.ts'
import { latentOperations } from './routes/latents.ts'
import { metricsOperation } from './routes/metrics.ts'
import { libreFileOperations } from './routes/libretranslate-files.ts'
import { libreOperations } from './routes/libretranslate.ts'
import { MODEL_FILE_PATH, sendModelFile } from './routes/model-files.ts'
import { modelOperations } from './routes/models.ts'
import { multilingualOperations } from './routes/multilingual-glossaries.ts'
import type { Operation } from './routes/operation.ts'
import * as page from './routes/page.ts'
import { responseOperations } from './routes/responses.ts'
import { RUNNER_JOB_ROUTES } from './routes/runner-jobs.ts'
import { HEARTBEAT_PATH, takeHeartbeat } from './routes/runners.ts'
import { scalingOperation } from './routes/scaling.ts'
import { sessionOperations } from './routes/session.ts'
import { shareOperations } from './routes/shares.ts'
import { summaryOperation } from './routes/summaries.ts'
import { tokenOperations } from './routes/tokens.ts'
import { trainingOperations } from './routes/training-jobs.ts'
import { uploadOperations } from './routes/uploads.ts'
import { usageOperations } from './routes/usage.ts'
import { ClientGone } from './runners/runner.ts'
import { diskFull } from './storage/room.ts'

const apiOperations: readonly Operation[] = [
  ...chatOperations,
  ...completionOperations,
  ...responseOperations,
  embeddingOperation,
  summaryOperation,
  ...deeplOperations,
  ...translatedDocumentOperations,
  ...glossaryOperations,
  ...multilingualOperations,
  ...libreOperations,
  ...libreFileOperations,
  ...tokenOperations,
  ...modelOperations,
  ...latentOperations,
  anomalyOperation,
  imageGenerationOperation,
  ...imageOperations,
  imageFileOperation,
  ...fileOperations,
  ...uploadOperations,
  ...trainingOperations,
  ...conversationOperations,
  exportOperation,
  ...shareOperations,
  ...keyOperations,
  ...usageOperations,
  ...sessionOperations,
  healthOperation,
  metricsOperation,
  scalingOperation,
]
/** Everything that the API answers, those that describe it included. */
export const operations: readonly Operation[] = [...apiOperations, ...documentOperations(apiOperations)]

export function createApp(): Hono<EdgeEnv> {
  const app = new Hono<EdgeEnv>({ strict: true })
  app.use(securityHeaders(), requestId(), drain(), auth())
  for (const operation of operations) app.on(operation.method, honoPath(operation.path), (c) => handle(operation, c))
  app.post(HEARTBEAT_PATH, takeHeartbeat)
  for (const [method, path, handle] of RUNNER_JOB_ROUTES) app.on(method, path, handle)
  app.get(MODEL_FILE_PATH, sendModelFile)
  for (const address of PAGE_ADDRESSES) app.get(address, page.document)
  app.get('/assets/*', page.hashedFile)
  app.get('/models/:file', page.hashedFile)
  for (const name of ['/favicon.ico', '/favicon.svg', '/favicon.png', '/robots.txt']) app.get(name, page.plainFile)
  for (const [path, methods] of methodsByPath()) app.all(path, (c) => refuseMethod(c, methods))
  app.notFound((c) =>
    renderError(
      new ApiError('not_found', `There is no ${c.req.method} ${c.req.path.slice(0, 200)}.`),
      dialectOf(c.req.path),
    ),
  )
  app.onError(async (thrown, c) => {
    // The status that others use for it; nobody is there to see.
    if (thrown instanceof ClientGone) return new Response(null, { status: 499 })
    let error = concealed(thrown)
    if (error !== thrown) {
      logFailure({ requestId: c.get('requestId'), method: c.req.method, route: c.req.routePath }, thrown)
      error = (await diskFull(c.env)) ?? error
    }
    const response = renderError(error, dialectOf(c.req.path))
    for (const [name, value] of Object.entries(c.get('rateLimits') ?? {})) response.headers.set(name, value)
    return response
  })
  return app
}

async function handle(operation: Operation, c: EdgeContext): Promise<Response> {
  const { scope, errors } = operation
  if (scope !== null && !mayCall(principalOf(c), scope)) {
    throw new ApiError('insufficient_scope', `This API key lacks the scope '${scope}'.`)
  }
  try {
    return await operation.handle(c)
  } catch (error) {
    // What is limited says how much is left also when it refuses; not if that is what failed.
    const account = c.get('principal') && accountOf(principalOf(c))
    if (account && errors?.includes('rate_limit_exceeded')) {
      c.set('rateLimits', await rateLimits(c.env, account).catch(() => undefined))
    }
    throw error
  }
}

/** `/v1/models/{id}` as Hono writes it. */
function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

function methodsByPath(): Map<string, string[]> {
  const methods = new Map<string, string[]>()
  for (const { method, path } of operations)
    methods.set(honoPath(path), [...(methods.get(honoPath(path)) ?? []), method])
  return methods
}

function refuseMethod(c: EdgeContext, methods: readonly string[]): Response {
  const response = renderError(
    new ApiError(
      'method_not_allowed',
      `${c.req.path.slice(0, 200)} answers ${methods.join(', ')}, not ${c.req.method}.`,
    ),
    dialectOf(c.req.path),
  )
  response.headers.set('allow', (methods.includes('GET') ? [...methods, 'HEAD'] : methods).join(', '))
  return response
}

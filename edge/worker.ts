import { createApp } from './app.ts'
import type { Bindings } from './env.ts'

const app = createApp()
const edge = { fetch: app.fetch } satisfies ExportedHandler<Bindings>

export default edge
export { Account } from './accounts/account.ts'
export { TranslatedDocument } from './documents/translated-document.ts'
export { TrainingJob } from './jobs/training-job.ts'
export { LedgerOutbox } from './accounts/ledger-outbox.ts'
export { StoredResponse } from './responses/stored-response.ts'
export { Fleet } from './runners/fleet.ts'
/** By name, so that a local workerd can open a socket straight to it, past the routers that stand in for Cloudflare's. */
export { edge }

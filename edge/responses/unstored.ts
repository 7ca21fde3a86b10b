/** A response that is kept nowhere: it ends with whoever reads it. */
import type { Response as ApiResponse } from '#protocol/responses.ts'
import { type Admission, admit, renewing, settle } from '../accounts/admission.ts'
import type { Bindings } from '../env.ts'
import { ClientGone } from '../runners/runner.ts'
import { Runners } from '../runners/runners.ts'
import { ledgerId, type ResponseRecord } from './record.ts'
import { renamed } from './request.ts'
import { ResponseRun, type ResponseStore, ROUTE } from './response-run.ts'
import { bytesOf, sleep } from './streams.ts'
import { WritePace } from './write-pace.ts'

/**
 * @param keep is given what has to be done although the reader has gone
 * @throws ApiError what it is refused with
 */
export async function unstored(
  env: Bindings,
  record: ResponseRecord,
  gone: AbortSignal,
  keep: (work: Promise<unknown>) => void,
): Promise<{ readonly admission: Admission; whole(): Promise<ApiResponse>; events(): ReadableStream<Uint8Array> }> {
  const runner = new Runners(env, record.requestId)
  const run = new ResponseRun({
    store: NOWHERE,
    generate: (request, signal) => runner.generate(request, signal),
    now: () => Date.now(),
    sleep,
    pace: new WritePace(),
    settle: (_record, response, used) => settle(env, record.account, response.id, used ? [used] : []),
  })
  const stop = () => void run.cancel()
  gone.addEventListener('abort', stop)
  const {
    account,
    generation,
    requestId,
    response: { id },
  } = record
  const begun = async (): Promise<Admission> => {
    const admission = await admit(env, account, id, [generation], requestId)
    const [bounded = generation] = admission.requests
    // Nobody but its runner knows of it if the edge is gone.
    const bill = { id: ledgerId(record), request: id, of: 1, keyId: account.keyId, route: ROUTE }
    await run.begin({ ...record, generation: { ...bounded, bill } }).catch(async (error: unknown) => {
      await settle(env, account, id, [])
      throw error
    })
    return admission
  }
  const admission = await begun().catch((error: unknown) => {
    throw renamed(error)
  })
  const reservation = renewing(env, account, id)
  keep(run.idle().finally(() => reservation[Symbol.dispose]()))
  return {
    admission,
    async whole() {
      await run.whole()
      if (gone.aborted) throw new ClientGone()
      return run.response ?? record.response
    },
    events: () => bytesOf(run.read(-1), stop),
  }
}

const NOWHERE: ResponseStore = {
  load: () => null,
  begin() {},
  append() {},
  markSettled() {},
  async clear() {},
  async sync() {},
}

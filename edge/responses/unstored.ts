/** A response that is kept nowhere: it ends with whoever reads it. */
import type { Response as ApiResponse } from '#protocol/responses.ts'
import type { Bindings } from '../env.ts'
import { Runners } from '../runners/runners.ts'
import { type ResponseRecord, renamed } from './request.ts'
import { ResponseRun, type ResponseStore } from './response-run.ts'
import { bytesOf, sleep } from './streams.ts'

/** @throws ApiError what it is refused with */
export async function unstored(
  env: Bindings,
  record: ResponseRecord,
  gone: AbortSignal,
): Promise<{ whole(): Promise<ApiResponse>; events(): ReadableStream<Uint8Array> }> {
  const runner = new Runners(env, record.requestId)
  const run = new ResponseRun({
    store: NOWHERE,
    generate: (request, signal) => runner.generate(request, signal),
    now: () => Date.now(),
    sleep,
    settle: async () => {},
  })
  const stop = () => void run.cancel()
  gone.addEventListener('abort', stop)
  await run.begin(record).catch((error: unknown) => {
    throw renamed(error)
  })
  return {
    async whole() {
      await run.whole()
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

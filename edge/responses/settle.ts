/** What is left to do when a response has ended: what it used is written down, its conversation gets the answer, and is free for the next. */
import type { Response } from '#protocol/responses.ts'
import { settle as settleAccount } from '../accounts/admission.ts'
import type { Bindings } from '../env.ts'
import { endTurn } from '../storage/turns.ts'
import type { UsageEntry } from '../storage/usage.ts'
import type { ResponseRecord } from './record.ts'

/** May be called again: nothing is written twice. */
export async function settle(
  env: Bindings,
  { owner, account }: ResponseRecord,
  response: Response,
  used: UsageEntry | null,
): Promise<void> {
  await settleAccount(env, account, response.id, used ? [used] : [])
  if (!response.conversation) return
  await endTurn(env.DB, {
    owner,
    conversation: response.conversation.id,
    response: response.id,
    ended: response,
    now: Date.now(),
  })
}

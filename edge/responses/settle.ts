/** What is left to do when a response has ended: its conversation gets the answer, and is free for the next. */
import type { Response } from '#protocol/responses.ts'
import type { Bindings } from '../env.ts'
import { endTurn } from '../storage/turns.ts'
import type { ResponseRecord } from './request.ts'

/** May be called again: nothing is written twice. */
export async function settle(env: Bindings, { owner }: ResponseRecord, response: Response): Promise<void> {
  if (!response.conversation) return
  await endTurn(env.DB, {
    owner,
    conversation: response.conversation.id,
    response: response.id,
    output: response.output,
    now: Date.now(),
  })
}

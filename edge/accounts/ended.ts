/**
 * What runners tell of generations that have ended. Most of them their edge has written down and settled already; of the
 * others this is all that is known, for instance if it was killed in the middle. May be told again, and in any order.
 */
import type { EndedGeneration } from '#protocol/bill.ts'
import type { Database } from '../storage/database.ts'
import { limitsOf } from '../storage/keys.ts'
import { writeUsage } from '../storage/usage.ts'
import type { AccountObjects } from './account-object.ts'

export async function takeEnded(
  env: { readonly DB: Database; readonly ACCOUNTS: AccountObjects },
  ended: readonly EndedGeneration[],
): Promise<void> {
  if (ended.length === 0) return
  // One whose turn never came has used nothing.
  const begun = ended.filter(({ promptTokens }) => promptTokens > 0)
  await writeUsage(
    env.DB,
    begun.map(({ bill: { id, keyId, route }, ...used }) => ({ id, keyId, route, ...used })),
    'runner',
  )
  const byKey = Map.groupBy(ended, ({ bill }) => bill.keyId)
  const limits = await limitsOf(
    env.DB,
    [...byKey.keys()].filter((keyId) => keyId !== null),
  )
  await Promise.all(
    [...limits].map(([keyId, held]) => {
      const told = (byKey.get(keyId) ?? []).map(({ bill: { id, request, of }, promptTokens, completionTokens }) => ({
        id: request,
        generation: id,
        of,
        used: promptTokens + completionTokens,
      }))
      return env.ACCOUNTS.getByName(keyId).tell(held, told)
    }),
  )
}

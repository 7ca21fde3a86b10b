/** What counts a key's use, as its callers have it. */
import type { KeyLimits } from '#protocol/keys.ts'
import type { Refused, Standing, Told } from './limits.ts'

export interface Verdict {
  readonly refused: Refused | null
  readonly standing: Standing
}

export interface AccountObject {
  admit(limits: KeyLimits, id: string, tokens: number): Promise<Verdict>
  standing(limits: KeyLimits): Promise<Standing>
  renew(id: string): Promise<void>
  settle(limits: KeyLimits, id: string, used: number): Promise<void>
  tell(limits: KeyLimits, told: readonly Told[]): Promise<void>
}

export interface AccountObjects {
  getByName(name: string): AccountObject
}

/** Who pays for a request. */
import type { KeyLimits } from '#protocol/keys.ts'

export interface Account {
  readonly owner: string
  readonly keyId: string | null
  /** Null: none. */
  readonly limits: KeyLimits | null
}

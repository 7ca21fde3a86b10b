/** `/session`: how a page signs in, and `/health`. */
import * as v from 'valibot'

/** Empty on a loopback instance, which signs its own page in; else a key to exchange for a session. */
export const signInSchema = v.strictObject({ key: v.optional(v.string()) })

export const sessionSchema = v.strictObject({
  signed_in: v.boolean(),
  /** Whose conversations these are; null when not signed in. */
  owner: v.nullable(v.string()),
  /** Unix seconds; null when not signed in by a session. */
  expires_at: v.nullable(v.number()),
})
export type Session = v.InferOutput<typeof sessionSchema>

export const healthSchema = v.strictObject({ status: v.picklist(['ok', 'starting']), detail: v.optional(v.string()) })
export type Health = v.InferOutput<typeof healthSchema>

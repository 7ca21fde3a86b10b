/** What a key may be good for. */
export const SCOPES = ['chat', 'models', 'conversations', 'admin'] as const
export type Scope = (typeof SCOPES)[number]
/** A key with this one has them all. */
export const EVERY_SCOPE = '*'

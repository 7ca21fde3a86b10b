/** What a key may be good for. */
export const SCOPES = [
  'chat',
  'embeddings',
  'summaries',
  'translation',
  'models',
  'images',
  'latents',
  'anomalies',
  'conversations',
  'training',
  'usage',
  'admin',
] as const
export type Scope = (typeof SCOPES)[number]
/** A key with this one has them all. */
export const EVERY_SCOPE = '*'

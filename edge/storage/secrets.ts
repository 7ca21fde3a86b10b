/** Secrets are random and long, so that their plain SHA-256 is safe to store and to look up by. Runs in Node too. */

/** 256 random bits in base64url: 43 characters. */
export function randomSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  const base64 = btoa(String.fromCharCode(...bytes))
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace('=', '')
}

/** SHA-256 in hex. */
export function sha256(text: string): Promise<string> {
  return sha256Of(new TextEncoder().encode(text))
}

/** SHA-256 in hex. */
export async function sha256Of(bytes: Parameters<typeof crypto.subtle.digest>[1]): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  let hex = ''
  for (const byte of digest) hex += byte.toString(16).padStart(2, '0')
  return hex
}

/** A name for somebody new, whose things are theirs alone. */
export function newOwner(): string {
  return `user_${randomSecret().replaceAll(/[_-]/g, '').slice(0, 24)}`
}

/** Texts that only whoever knows a long random secret can read: AES-GCM under a key drawn from it by HKDF (RFC 5869). */

const NONCE_BYTES = 12
const INFO = new TextEncoder().encode('tandem: an answer that is given again')

export async function seal(text: string, secret: string): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const bytes = new TextEncoder().encode(text)
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, await keyFrom(secret), bytes)
  return new Uint8Array([...nonce, ...new Uint8Array(sealed)]).toBase64()
}

/** @throws if it was sealed by another secret */
export async function unseal(sealed: string, secret: string): Promise<string> {
  const bytes = Uint8Array.fromBase64(sealed)
  const algorithm = { name: 'AES-GCM', iv: bytes.subarray(0, NONCE_BYTES) }
  const text = await crypto.subtle.decrypt(algorithm, await keyFrom(secret), bytes.subarray(NONCE_BYTES))
  return new TextDecoder().decode(text)
}

async function keyFrom(secret: string) {
  const material = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), 'HKDF', false, ['deriveKey'])
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: INFO }
  return crypto.subtle.deriveKey(derivation, material, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

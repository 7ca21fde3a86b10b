/** Where a request comes from, as far as its headers tell. A browser sets them itself; a page cannot forge them. */

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether the `Host` header names this machine, so that no other site's name can stand for it (DNS rebinding). */
export function hasLoopbackHost(request: Request): boolean {
  const host = request.headers.get('host')
  return host !== null && LOOPBACK_NAMES.has(host.replace(/:\d{1,5}$/, '').toLowerCase())
}

/** Whether nothing says that another site's page made this request. */
export function isSameOrigin(request: Request): boolean {
  const site = request.headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin' && site !== 'none') return false
  const origin = request.headers.get('origin')
  return origin === null || origin.toLowerCase() === ownOrigin(request)
}

/** Whether a browser vouches that the page itself made this request. */
export function isProvenSameOrigin(request: Request): boolean {
  const proven = request.headers.get('origin') !== null || request.headers.get('sec-fetch-site') === 'same-origin'
  return proven && isSameOrigin(request)
}

/** Whether the browser speaks HTTPS, to us or to a proxy in front; whoever claims it falsely only loses a cookie. */
export function isSecure(request: Request): boolean {
  return request.url.startsWith('https:') || request.headers.get('x-forwarded-proto') === 'https'
}

/** The origin under which the caller reached us. */
export function ownOrigin(request: Request): string {
  return `${isSecure(request) ? 'https' : 'http'}://${request.headers.get('host') ?? ''}`.toLowerCase()
}

/**
 * Every route that answers without a key, by method and path. All else is closed.
 *
 * A path is matched as it was sent, character by character: an escape, a doubled slash or a dot segment matches nothing
 * here, whatever the router would make of it.
 */

interface PublicRoute {
  methods: readonly string[]
  path: RegExp
}

const READ = ['GET', 'HEAD']
const SEGMENT = '[A-Za-z0-9_-]+'
const FILE = '[A-Za-z0-9_-]+(?:\\.[A-Za-z0-9_-]+)+'

/** The addresses at which the page opens. */
export const PAGE_ADDRESSES = [
  '/',
  '/index.html',
  '/chat',
  '/chat/:id',
  '/studio',
  '/studio/:part',
  '/train',
  '/train/:id',
  '/models',
  '/translate',
  '/summarise',
  '/keys',
  '/shared/:token',
] as const
/** The page's files. */
export const PAGE_FILES = [
  `/assets/${FILE}`,
  // Models that ship with Tandem.
  '/models/[0-9a-f]{64}\\.onnx',
  '/favicon\\.(?:ico|svg|png)',
  '/robots\\.txt',
] as const

const PUBLIC: readonly PublicRoute[] = [
  ...PAGE_ADDRESSES.map((path) => open(READ, path.replace('.', '\\.').replace(/:\w+/, SEGMENT))),
  ...PAGE_FILES.map((path) => open(READ, path)),
  open(READ, '/health'),
  open(READ, '/openapi\\.json'),
  open(READ, '/docs'),
  open(READ, '/docs/style\\.css'),
  open(['GET', 'POST'], '/session'),
  // They ask for the runners' secret themselves.
  open(['POST'], '/internal/runners'),
  open(['POST'], '/internal/jobs/lease'),
  open(['POST'], `/internal/jobs/${SEGMENT}/(?:report|end)`),
  open(['GET', 'PUT'], `/internal/jobs/${SEGMENT}/${SEGMENT}/${SEGMENT}`),
  open(['GET'], '/internal/models/[0-9a-f]{64}'),
  // LibreTranslate's clients ask so before they have a key.
  open(READ, '/languages'),
  open(READ, '/frontend/settings'),
  // A document that was just translated, for whoever has its address.
  open(READ, '/download_file/[\\w-]+(?:\\.\\w+)*'),
  // A picture that was just made, for whoever has its address.
  open(READ, '/v1/images/files/[\\w-]+(?:\\.[a-z]+)?'),
  // What somebody has shared, for whoever has the link.
  open(READ, `/v1/shared/${SEGMENT}`),
]

export function isPublic(method: string, path: string): boolean {
  return PUBLIC.some((route) => route.methods.includes(method) && route.path.test(path))
}

function open(methods: readonly string[], path: string): PublicRoute {
  return { methods, path: new RegExp(`^${path}$`) }
}

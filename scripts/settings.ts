/** The settings of `npm start`, from the environment. */
import { isIP, isIPv6 } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { StartError } from './start-error.ts'

/** The checkout. */
export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

const LARGEST_PORT = 65_535
const PORT_RULE = `must be a whole number from 0 to ${LARGEST_PORT} (0: any free port)`
const HOST_RULE = 'must be an IP address or localhost'
const folder = v.pipe(v.string(), v.minLength(1, 'must not be empty'))

const schema = v.object({
  PORT: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,5}$/, PORT_RULE), v.transform(Number), v.maxValue(LARGEST_PORT, PORT_RULE)),
    '8787',
  ),
  HOST: v.optional(
    v.pipe(
      v.string(),
      v.transform((host) => (host === 'localhost' ? '127.0.0.1' : host)),
      v.check((host) => isIP(host) !== 0, HOST_RULE),
    ),
    '127.0.0.1',
  ),
  TANDEM_HOME: v.optional(folder),
  TANDEM_MODELS: v.optional(folder),
  TANDEM_DEVICE: v.optional(
    v.picklist(['auto', 'cuda', 'webgpu', 'cpu'], 'must be one of auto, cuda, webgpu, cpu'),
    'auto',
  ),
})

export interface Settings {
  /** 0: any free one. */
  readonly port: number
  /** An IP address. */
  readonly host: string
  /** Whether nothing outside this machine can reach `host`. */
  readonly loopback: boolean
  /** Absolute. */
  readonly home: string
  /** Absolute. */
  readonly models: string
  readonly device: 'auto' | 'cuda' | 'webgpu' | 'cpu'
}

/**
 * @param from the folder that relative paths start at
 * @throws StartError naming the variable, its rule and its value
 */
export function readSettings(env: NodeJS.ProcessEnv, from: string = process.cwd()): Settings {
  const parsed = v.safeParse(schema, env)
  if (!parsed.success) {
    const problems = parsed.issues.map(
      (issue) => `${v.getDotPath(issue)} ${issue.message}; it is ${show(issue.input)}.`,
    )
    throw new StartError(problems.join('\n'))
  }
  const { PORT, HOST, TANDEM_HOME, TANDEM_MODELS, TANDEM_DEVICE } = parsed.output
  const home = TANDEM_HOME === undefined ? path.join(ROOT, '.tandem') : path.resolve(from, TANDEM_HOME)
  return {
    port: PORT,
    host: HOST,
    loopback: isLoopback(HOST),
    home,
    models: TANDEM_MODELS === undefined ? path.join(home, 'models') : path.resolve(from, TANDEM_MODELS),
    device: TANDEM_DEVICE,
  }
}

function show(value: unknown): string {
  return value === '' ? 'empty' : `\`${String(value)}\``
}

function isLoopback(host: string): boolean {
  return host === '::1' || /^127\./.test(host)
}

/** The address of a server bound to `host`, as someone on this machine reaches it. */
export function localUrl(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}`
}

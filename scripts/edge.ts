/**
 * `npm run edge`: the edge without a runner, for runners that are elsewhere. Whoever runs it starts it again when it
 * ends. Exit codes: 0 stopped when asked to, 1 it could not start or did not hold, 130 forced to stop.
 */
import path from 'node:path'
import * as v from 'valibot'
import { runnerSecretSchema } from '#protocol/runner-secret.ts'
import { Child, describeEnd } from './child-process.ts'
import type { EdgeHostMessage, EdgeHostOptions } from './edge-host.ts'
import { isBuilt } from './fingerprint.ts'
import { openHome } from './home.ts'
import { localUrl, ROOT, readSettings } from './settings.ts'
import { StartError } from './start-error.ts'
import { stopOnRequest } from './stop.ts'

const runnerSchema = v.object({
  RUNNER_SECRET: runnerSecretSchema,
  RUNNER_URL: v.optional(v.pipe(v.string(), v.url('must be the address of a runner, such as http://10.0.0.2:4711'))),
})

async function main(): Promise<void> {
  const { host, port, home: folder } = readSettings(process.env)
  const { RUNNER_SECRET, RUNNER_URL } = readRunner(process.env)
  if (port === 0) throw new StartError('PORT must be a port that others know, not 0.')
  if (!isBuilt('web') || !isBuilt('edge')) throw new StartError('The page and the Worker are not built: npm run build')
  const url = localUrl(host, port)
  using home = await openHome(folder, url)
  // On loopback there may be a proxy in front, and anybody behind that: the page asks for a key.
  const options: EdgeHostOptions = {
    host,
    port,
    loopback: false,
    runnerUrl: RUNNER_URL ?? '',
    data: home.edge,
    key: home.key,
  }
  let asked = false
  const child = new Child({
    args: [path.join(ROOT, 'scripts', 'edge-host.ts'), JSON.stringify(options)],
    env: { ...process.env, RUNNER_SECRET, TMPDIR: home.temporary },
    onLine: (line, from) => process[from].write(`${line}\n`),
    onMessage: (message) => {
      if ((message as EdgeHostMessage).type === 'edge-serving') {
        console.log(`The edge serves on ${url}  (key: ${home.key})`)
      }
    },
  })
  stopOnRequest({
    onStop: () => {
      asked = true
      void child.stop()
    },
    onForce: () => {
      child.kill()
      process.exit(130)
    },
  })
  const end = await child.ended
  if (!asked) throw new StartError(`It ended (${describeEnd(end)}).`)
}

/** @throws StartError naming the variable and its rule; a secret is not shown */
function readRunner(env: NodeJS.ProcessEnv): v.InferOutput<typeof runnerSchema> {
  const parsed = v.safeParse(runnerSchema, env, { abortPipeEarly: true })
  if (parsed.success) return parsed.output
  throw new StartError(parsed.issues.map((issue) => `${v.getDotPath(issue)} ${issue.message}.`).join('\n'))
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof StartError ? `The edge: ${error.message}` : error)
    process.exit(1)
  },
)

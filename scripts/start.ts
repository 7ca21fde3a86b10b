/**
 * `npm start`: gets everything ready, starts the runner and the edge, keeps them running, and stops them.
 * See `docs/architecture.md`, "Starting". Exit codes: 0 stopped when asked to, 1 it could not start, 130 forced to stop.
 */
import { Reporter } from './reporter.ts'
import { readSettings } from './settings.ts'
import { StartError } from './start-error.ts'
import { stopOnRequest } from './stop.ts'
import { Tandem } from './tandem.ts'

async function main(): Promise<void> {
  const reporter = new Reporter(process.stdout)
  const stop = new AbortController()
  const tandem = new Tandem({ settings: readSettings(process.env), reporter, signal: stop.signal })
  stopOnRequest({
    onStop: () => {
      reporter.line('Stopping …')
      stop.abort()
    },
    onForce: () => {
      tandem.kill()
      process.exit(130)
    },
  })
  try {
    await tandem.run()
  } catch (error) {
    // What fails because it was told to stop has done as it was told.
    if (!stop.signal.aborted) throw error
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof StartError ? `\nTandem cannot start: ${error.message}` : error)
    process.exit(1)
  },
)

/**
 * `npm run cuda`: fetches the CUDA provider and what it needs into the model cache, and says of each piece whether it is
 * there. Exit codes: 0 CUDA works, 1 it does not, 130 it was stopped.
 */
import { type CudaCheck, checkDriver, checkLibraries, checkSession } from '#gpu-runner/cuda/checks.ts'
import { installCuda, unsupportedSystem } from '#gpu-runner/cuda/install.ts'
import { StoreError } from '#gpu-runner/store/store-error.ts'
import { duration, megabytes, Reporter } from './reporter.ts'
import { readSettings } from './settings.ts'
import { StartError } from './start-error.ts'

async function main(): Promise<boolean> {
  const unsupported = unsupportedSystem()
  if (unsupported !== undefined) throw new StartError(unsupported)
  const { models } = readSettings(process.env)
  const reporter = new Reporter(process.stdout)
  const works = (checks: readonly CudaCheck[]): boolean => {
    for (const { ok, text } of checks) reporter.line(`${ok ? 'yes' : 'NO '}  ${text}`)
    return checks.every(({ ok }) => ok)
  }
  // Two gigabytes are of no use to a machine without a GPU.
  if (!works(checkDriver())) return false
  const folder = await fetchLibraries(models, reporter)
  return works(checkLibraries(folder)) && works([checkSession(folder)])
}

async function fetchLibraries(root: string, reporter: Reporter): Promise<string> {
  const stop = new AbortController()
  const onSignal = () => stop.abort()
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  const fetched = new Set<string>()
  try {
    const folder = await installCuda({
      root,
      signal: stop.signal,
      onProgress: ({ source, receivedBytes, totalBytes, bytesPerSecond, secondsLeft }) => {
        fetched.add(source)
        const left = secondsLeft === undefined ? '' : `, ${duration(secondsLeft)} left`
        const share = `${megabytes(receivedBytes)} of ${megabytes(totalBytes)}, ${megabytes(bytesPerSecond)}/s${left}`
        reporter.progress('cuda', `Fetching ${source}: ${share}`)
      },
    })
    reporter.progress('cuda', undefined)
    const what = fetched.size > 0 ? `fetched ${fetched.size} packages into` : 'everything is in'
    reporter.line(`yes  libraries: ${what} ${folder}`)
    return folder
  } catch (error) {
    if (stop.signal.aborted) process.exit(130)
    if (error instanceof StoreError) throw new StartError(error.message, { cause: error })
    throw error
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    reporter.progress('cuda', undefined)
  }
}

main().then(
  (works) => {
    console.log(works ? '\nCUDA works: `npm start` uses it.' : '\nCUDA does not work; Tandem runs on the CPU.')
    process.exit(works ? 0 : 1)
  },
  (error: unknown) => {
    console.error(error instanceof StartError ? `\n${error.message}` : error)
    process.exit(1)
  },
)

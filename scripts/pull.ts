/** Models, fetched with their progress on the terminal. */
import { ensureModel } from '#gpu-runner/store/store.ts'
import { StoreError } from '#gpu-runner/store/store-error.ts'
import { defaultModel } from '#models/catalogue/catalogue.ts'
import type { CatalogueEntry } from '#models/catalogue/schema.ts'
import { duration, megabytes, type Reporter } from './reporter.ts'
import { StartError } from './start-error.ts'

/** The model that has to be there before anything needs it. @throws StartError as `pullModel` */
export function pullDefaultModel(root: string, reporter: Reporter, signal: AbortSignal): Promise<void> {
  return pullModel(defaultModel('chat'), root, reporter, signal)
}

/** @throws StartError naming each source and why it failed */
export async function pullModel(
  entry: CatalogueEntry,
  root: string,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  let pulled = false
  try {
    await ensureModel(entry, {
      root,
      signal,
      onProgress: ({ source, receivedBytes, totalBytes, bytesPerSecond, secondsLeft }) => {
        pulled = true
        const left = secondsLeft === undefined ? '' : `, ${duration(secondsLeft)} left`
        const share = `${megabytes(receivedBytes)} of ${megabytes(totalBytes)}, ${megabytes(bytesPerSecond)}/s${left}`
        reporter.progress('model', `Fetching ${entry.id} from ${source}: ${share}`)
      },
    })
  } catch (error) {
    if (error instanceof StoreError) throw new StartError(error.message, { cause: error })
    throw error
  } finally {
    reporter.progress('model', undefined)
  }
  if (pulled) reporter.line(`Fetched ${entry.id} into ${root}`)
}

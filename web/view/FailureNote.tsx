import { FileProblem } from '../state/task.ts'
import { RequestFailure } from '../transport/failure.ts'
import { text } from '../text.ts'
import { explain } from './explain.ts'

/** What went wrong, where it did. Its place is kept, so that nothing moves. */
export function FailureNote({ error }: { error: Error | null }) {
  return (
    <p class="failure-place failure" role="alert">
      {error && wordsFor(error)}
    </p>
  )
}

function wordsFor(error: Error): string {
  if (error instanceof RequestFailure) return explain(error)
  return error instanceof FileProblem ? error.message : text.failure.here(error.message)
}

import { FileProblem } from '../../state/task.ts'
import { RequestFailure } from '../../transport/failure.ts'
import { explain } from '../explain.ts'

/** What went wrong, where it did. Its place is kept, so that nothing moves. */
export function FailureNote({ error }: { error: Error | null }) {
  return (
    <p class="failure-place failure" role="alert">
      {error && (error instanceof FileProblem ? error.message : explain(RequestFailure.from(error)))}
    </p>
  )
}

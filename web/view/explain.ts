import { text } from '../text.ts'
import type { RequestFailure } from '../transport/failure.ts'

/** A failure in words, and when trying again makes sense. */
export function explain(failure: RequestFailure): string {
  const said = failure.kind === 'api' ? failure.message : text.failure[failure.kind]
  return failure.retryAfter === undefined ? said : `${said} ${text.failure.wait(failure.retryAfter)}`
}

/** One event of a stream that ends with its answer, or with an error. */
import * as v from 'valibot'
import { errorAnswerSchema } from './answers.ts'
import { RequestFailure } from './failure.ts'

/** @throws RequestFailure for what is no such event, and for the error that a stream may end with */
export function eventOf<S extends v.GenericSchema>(schema: S, data: string): v.InferOutput<S> {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch (cause) {
    throw new RequestFailure('malformed', { cause })
  }
  const parsed = v.safeParse(schema, value)
  if (parsed.success) return parsed.output
  const failed = v.safeParse(errorAnswerSchema, value)
  throw failed.success
    ? new RequestFailure('api', { detail: failed.output })
    : new RequestFailure('malformed', { cause: parsed.issues })
}

/** What a runner made of a job, into the object store, under the hash that it says and that is checked. */
import { ApiError } from '#protocol/error.ts'
import type { ObjectKind } from '#protocol/training-lease.ts'
import type { EdgeContext } from '../context.ts'
import { sweep } from '../files/sweep.ts'
import { type Written, writeObject } from '../files/write-object.ts'
import { keyOfFile, resultFile } from '../storage/files.ts'
import { sha256 as sha256Of } from '../storage/secrets.ts'
import { needFile } from '../storage/trained-models.ts'

const MOST_BYTES: Readonly<Record<ObjectKind, number>> = {
  checkpoints: 2 ** 31,
  models: 256 << 20,
  samples: 16 << 20,
}

interface Offered {
  readonly job: string
  readonly held: { readonly owner: string; readonly model: string }
  readonly kind: ObjectKind
  readonly sha256: string
  readonly filename?: string | undefined
}

/**
 * @returns the id of the file that samples become
 * @throws ApiError 413, 422 if the bytes are others, 503 while the same file is being taken away
 */
export async function takeObject(
  c: EdgeContext,
  { job, held, kind, sha256, filename }: Offered,
): Promise<{ id?: string }> {
  if (kind === 'checkpoints') {
    await write(c, `checkpoints/${job}/${sha256}`, kind, sha256)
    return {}
  }
  if (kind === 'models') {
    if (!(await needFile(c.env.DB, held.model, sha256))) {
      await sweep(c.env)
      throw new ApiError('model_unavailable', 'The same file is just being taken away.', { retryAfter: 1 })
    }
    await write(c, `models/${sha256}`, kind, sha256)
    return {}
  }
  // The same sheet of the same job is the same file.
  const id = `file-${(await sha256Of(`samples ${job} ${sha256}`)).slice(0, 24)}`
  const { bytes } = await write(c, keyOfFile(id), kind, sha256)
  const file = { id, owner: held.owner, filename: filename ?? 'samples.png', bytes, sha256, lifetime: null }
  await resultFile(c.env.DB, { ...file, purpose: 'fine-tune-results', now: Date.now() }).run()
  return { id }
}

async function write(c: EdgeContext, key: string, kind: ObjectKind, expected: string): Promise<Written> {
  const most = MOST_BYTES[kind]
  const declared = Number(c.req.header('content-length') ?? Number.NaN)
  if (!(declared > 0 && declared <= most)) {
    throw new ApiError('request_too_large', `An object of ${kind} has 1 to ${most} bytes, got ${declared}.`)
  }
  const { body } = c.req.raw
  if (body === null) throw new ApiError('invalid_request', 'There is no body.')
  return writeObject(c.env.OBJECTS, key, body as unknown as AsyncIterable<Uint8Array>, expected)
}

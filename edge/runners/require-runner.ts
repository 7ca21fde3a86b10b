import { ApiError } from '#protocol/error.ts'
import type { EdgeContext } from '../context.ts'
import { configOf } from '../env.ts'
import { sha256 } from '../storage/secrets.ts'

/** For routes that are no part of the API: they know the runners' secret alone. @throws ApiError 401 for anyone else */
export async function requireRunner(c: EdgeContext): Promise<void> {
  const { secret } = configOf(c.env).runners
  const [shown, expected] = await Promise.all([sha256(c.req.header('authorization') ?? ''), sha256(`Bearer ${secret}`)])
  // Hashes of random secrets: how far they agree tells nothing.
  if (shown !== expected) throw new ApiError('invalid_api_key', 'Only a runner may ask this.')
}

/** Takes from the object store what nothing needs any more, a little at a time: whoever writes calls it, and runners do. */
import type { Bindings } from '../env.ts'
import { doomed, forgetDoomed } from '../storage/doomed.ts'
import { discardFile, staleFiles } from '../storage/files.ts'
import { expireUploads } from '../storage/uploads.ts'

const MOST = 50

export async function sweep(env: Bindings): Promise<void> {
  const now = Date.now()
  for (const id of await staleFiles(env.DB, now, MOST)) await discardFile(env.DB, id)
  await expireUploads(env.DB, now, MOST)
  const keys = await doomed(env.DB, MOST)
  if (keys.length === 0) return
  await env.OBJECTS.delete(keys)
  await forgetDoomed(env.DB, keys)
}

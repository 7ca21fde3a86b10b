import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { attemptFolder, sweepAttempts } from './leftovers.ts'

test('what processes left that are gone is removed, and nothing else', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tandem-leftovers-'))
  t.after(() => rm(folder, { recursive: true }))
  const mine = path.basename(attemptFolder(folder, 'ftjob-a-1'))
  // No process has an id that large.
  const gone = `99999999@${hostname()}-ftjob-b-1`
  const kept = [`${process.ppid}@${hostname()}-ftjob-c-1`, '99999999@elsewhere-ftjob-d-1', 'models']
  for (const name of [mine, gone, ...kept]) await mkdir(path.join(folder, name))
  await sweepAttempts(folder)
  assert.deepEqual((await readdir(folder)).sort(), kept.sort())
  await sweepAttempts(path.join(folder, 'not', 'there'))
})

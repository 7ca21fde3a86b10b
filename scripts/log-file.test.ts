import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { LogFile } from './log-file.ts'

test('a log stays within twice its limit and keeps the newest lines', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tandem-log-'))
  try {
    const log = new LogFile(path.join(folder, 'a.log'), 1000)
    for (let count = 0; count < 100; count += 1) log.line(`line ${count}`)
    assert.deepEqual((await readdir(folder)).sort(), ['a.log', 'a.log.1'])
    for (const name of ['a.log', 'a.log.1']) assert.ok((await stat(path.join(folder, name))).size <= 1000)
    assert.match(await readFile(log.file, 'utf8'), /line 99\n$/)
  } finally {
    await rm(folder, { recursive: true })
  }
})

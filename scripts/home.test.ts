import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { openHome } from './home.ts'

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tandem-home-'))
  try {
    await body(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('a home is made for its owner alone', () =>
  withFolder(async (folder) => {
    using home = await openHome(path.join(folder, 'a', 'b'), 'http://127.0.0.1:1')
    assert.equal((await stat(home.folder)).mode & 0o777, 0o700)
  }))

test('a second instance on the same home is told where the first one is', () =>
  withFolder(async (folder) => {
    using _first = await openHome(folder, 'http://127.0.0.1:1234')
    await assert.rejects(openHome(folder, 'http://127.0.0.1:2'), {
      name: 'StartError',
      message: /Another Tandem runs on TANDEM_HOME .*, at http:\/\/127\.0\.0\.1:1234 \(process \d+\)\. Stop it, or set/,
    })
  }))

test('a home that was given up can be taken again', () =>
  withFolder(async (folder) => {
    const first = await openHome(folder, 'http://127.0.0.1:1')
    first[Symbol.dispose]()
    using second = await openHome(folder, 'http://127.0.0.1:2')
    assert.equal(second.folder, folder)
  }))

test('a home that is a file, or below one, is refused by name', () =>
  withFolder(async (folder) => {
    const file = path.join(folder, 'file')
    await writeFile(file, '')
    await assert.rejects(openHome(file, ''), {
      message: `TANDEM_HOME ${file} cannot be used: a file of that name is in the way.`,
    })
    await assert.rejects(openHome(path.join(file, 'x'), ''), { message: /cannot be used: part of the path is a file/ })
  }))

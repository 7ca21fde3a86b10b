import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { defaultModel } from '#models/catalogue/catalogue.ts'
import { describeHubFile, idOf, isHubReference } from './hub.ts'
import { installedModels, rememberModel } from './installed.ts'

const SHA256 = 'a'.repeat(64)
const COMMIT = 'b'.repeat(40)

/** A hub with one file, spoken to over a socket. */
const hub = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '', 'http://hub')
  if (pathname === '/owner/some-GGUF/resolve/main/Some.Model-Q4_0.gguf') {
    const headers = { 'x-linked-etag': `"${SHA256}"`, 'x-linked-size': '1234', 'x-repo-commit': COMMIT }
    return response.writeHead(302, { ...headers, location: '/elsewhere' }).end()
  }
  if (pathname === `/api/models/owner/some-GGUF/revision/${COMMIT}`) {
    return response.end(JSON.stringify({ lastModified: '2024-05-06T07:08:09Z', cardData: { license: 'apache-2.0' } }))
  }
  if (pathname.startsWith('/owner/gated')) return response.writeHead(403).end()
  if (pathname.endsWith('/plain.gguf')) return response.writeHead(200).end()
  response.writeHead(404).end()
})
const before_ = process.env.HF_ENDPOINT
before(async () => {
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve))
  process.env.HF_ENDPOINT = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`
})
after(() => {
  hub.close()
  hub.closeAllConnections()
  if (before_ === undefined) delete process.env.HF_ENDPOINT
  else process.env.HF_ENDPOINT = before_
})

test('a file of the hub is described, pinned to its revision', async () => {
  assert.deepEqual(await describeHubFile('owner/some-GGUF/Some.Model-Q4_0.gguf'), {
    id: 'some.model-q4-0',
    task: 'chat',
    description: 'Some.Model-Q4_0.gguf of owner/some-GGUF',
    publisher: 'owner',
    created: 1714979289,
    licence: { spdx: 'apache-2.0', statedAt: 'https://huggingface.co/owner/some-GGUF' },
    context: 1,
    file: { name: 'Some.Model-Q4_0.gguf', size: 1234, sha256: SHA256 },
    sources: [{ kind: 'url', url: `https://huggingface.co/owner/some-GGUF/resolve/${COMMIT}/Some.Model-Q4_0.gguf` }],
  })
})

test('what the hub does not have, or not for everyone, is said', async () => {
  await assert.rejects(describeHubFile('owner/some-GGUF/none.gguf'), /answered 404/)
  await assert.rejects(describeHubFile('owner/gated/m.gguf'), /answered 403.*HF_TOKEN/)
  await assert.rejects(describeHubFile('owner/some-GGUF/plain.gguf'), /does not say what/)
})

test('references and names', () => {
  assert.ok(isHubReference('a/b-GGUF/folder/c.gguf@v1.0'))
  for (const text of ['a/b', 'c.gguf', 'a/b/../c.txt', 'https://x/y/z.gguf']) assert.ok(!isHubReference(text), text)
  assert.equal(idOf('Q4/Llama-3.2-1B-Instruct-Q4_K_M.gguf'), 'llama-3.2-1b-instruct-q4-k-m')
})

test('pulled models are installed beside those of the catalogue, once their files are there', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'tandem-installed-'))
  try {
    const entry = { ...defaultModel('chat'), id: 'other', context: 99 }
    const warnings: string[] = []
    const ids = () => installedModels(root, (message) => warnings.push(message)).map(({ id }) => id)
    assert.deepEqual(ids(), [])
    await rememberModel(root, entry)
    assert.deepEqual(ids(), [])
    writeFileSync(path.join(root, 'other', entry.file.name), 'x')
    mkdirSync(path.join(root, 'broken'))
    writeFileSync(path.join(root, 'broken', 'entry.json'), '{')
    assert.deepEqual(ids(), ['other'])
    assert.match(warnings[0] ?? '', /broken/)
    assert.equal(installedModels(root, () => {})[0]?.context, 99)
  } finally {
    rmSync(root, { recursive: true })
  }
})

/** What keeps Tandem from starting is said in one clear message, and the exit code is 1. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { cudaFolder, isInstalled } from '#gpu-runner/cuda/install.ts'
import { openHome } from '#scripts/home.ts'
import { failToStart, TEST_MODELS } from '../support/tandem.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tandem-refusal-'))
})
after(() => rm(folder, { recursive: true }))

async function refuses(env: Readonly<Record<string, string>>, message: RegExp): Promise<void> {
  const { code, errors } = await failToStart(path.join(folder, 'home'), env)
  assert.match(errors, message)
  assert.doesNotMatch(errors, /^ +at /m, 'no stack trace')
  assert.equal(code, 1)
}

test('a taken port', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await refuses({ PORT: String(port) }, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is taken .*PORT=8787 npm start`))
  server.close()
})

test('a port that is none', () => refuses({ PORT: '80a' }, /PORT must be a whole number from 0 to 65535.*`80a`/))

test('a device that the runner does not have', () =>
  refuses({ TANDEM_DEVICE: 'webgpu' }, /Tandem cannot start: TANDEM_DEVICE=webgpu/))

const hasCuda = isInstalled(cudaFolder(TEST_MODELS))
test('a GPU that is asked for and cannot be used', { skip: hasCuda && 'CUDA was fetched here' }, () =>
  refuses({ TANDEM_DEVICE: 'cuda' }, /Tandem cannot start: TANDEM_DEVICE=cuda: .+\n`npm run cuda` fetches/),
)

test('a home that another Tandem has', async () => {
  using home = await openHome(path.join(folder, 'taken'), 'http://127.0.0.1:1')
  await refuses({ TANDEM_HOME: home.folder }, /Another Tandem runs on TANDEM_HOME .*taken, at http:\/\/127\.0\.0\.1:1/)
})

test('a home that is a file', async () => {
  const file = path.join(folder, 'file')
  await writeFile(file, '')
  await refuses({ TANDEM_HOME: file }, /TANDEM_HOME .*file cannot be used: a file of that name is in the way/)
})

test('a key file that holds no key', async () => {
  const home = path.join(folder, 'bad-key')
  await mkdir(home)
  await writeFile(path.join(home, 'key'), 'secret')
  await refuses({ TANDEM_HOME: home }, /bad-key\/key holds no API key\. Remove it to get a new one\./)
})

import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { CudaError } from '../runtime/cuda.ts'
import { Runtime } from '../runtime/runtime.ts'
import { readSettings } from '../settings.ts'
import { checkDriver, checkLibraries, checkSession, whyNotCuda } from './checks.ts'
import { chooseDevice } from './choose-device.ts'
import { cudaFolder } from './install.ts'

const works = () => undefined
const fails = () => 'no GPU: the NVIDIA driver sees none'
const folder = cudaFolder('/models')
const nowhere = path.join(import.meta.dirname, 'nowhere')

test('auto takes CUDA where it works, else the CPU, and says why', () => {
  assert.deepEqual(chooseDevice('auto', '/models', works), { cuda: folder, why: `CUDA works, from ${folder}` })
  assert.deepEqual(chooseDevice('auto', '/models', fails), { why: 'no CUDA: no GPU: the NVIDIA driver sees none' })
})

test('CUDA that is asked for has to work', () => {
  assert.equal(chooseDevice('cuda', '/models', works).cuda, folder)
  assert.throws(() => chooseDevice('cuda', '/models', fails), {
    name: 'SettingsError',
    message: /^TANDEM_DEVICE=cuda: no GPU: the NVIDIA driver sees none\n`npm run cuda` fetches/,
  })
})

test('the CPU is taken without a look at CUDA', () => {
  const looks = () => assert.fail('it looked')
  assert.deepEqual(chooseDevice('cpu', '/models', looks), { why: 'TANDEM_DEVICE=cpu' })
})

test('a provider that was not fetched is said to be missing', { skip: process.platform !== 'linux' }, () => {
  assert.match(whyNotCuda(nowhere) ?? '', /^the CUDA provider was not fetched: run `npm run cuda`/)
  assert.match(
    chooseDevice('auto', nowhere).why,
    /^no CUDA: (the CUDA provider was not fetched|CUDA is for Linux on x64)/,
  )
})

test('the settings take auto, cuda and cpu; webgpu is refused', () => {
  const env = { RUNNER_PORT: '1', RUNNER_SECRET: 'a-secret-between-edge-and-runner', TANDEM_MODELS: '/models' }
  assert.equal(readSettings(env).device, 'auto')
  for (const device of ['auto', 'cuda', 'cpu'] as const) {
    assert.equal(readSettings({ ...env, TANDEM_DEVICE: device }).device, device)
  }
  for (const device of ['webgpu', 'tpu']) {
    assert.throws(() => readSettings({ ...env, TANDEM_DEVICE: device }), { name: 'SettingsError' })
  }
})

const hasDriver = checkDriver()[0]?.ok === true
/** What there is to see where there is no GPU, in one line each and with what to do. */
test('a machine without a driver is told so', { skip: hasDriver || process.platform !== 'linux' }, () => {
  const [driver, ...more] = checkDriver()
  assert.match(driver?.text ?? '', /^no NVIDIA driver: libcuda\.so\.1 was not found\. Install driver 580 or later;/)
  assert.deepEqual(more, [])
  for (const { ok, text } of checkLibraries(nowhere)) {
    if (!ok)
      assert.match(text, /^lib\w+\.so\.\d+ was not found or cannot be loaded .* Run `npm run cuda` to fetch it\.$/)
  }
  assert.equal(checkSession(nowhere).ok, false)
  assert.throws(() => new Runtime({ threads: 1, cuda: nowhere }), CudaError)
  using ort = new Runtime({ threads: 1 })
  assert.equal(ort.freeDeviceBytes(), Number.POSITIVE_INFINITY, 'the CPU goes on to work')
})

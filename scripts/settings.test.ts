import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { localUrl, ROOT, readSettings } from './settings.ts'

const rejects = (env: Record<string, string>, message: RegExp) =>
  assert.throws(() => readSettings(env), { name: 'StartError', message })

test('nothing set: loopback, port 8787, everything in the checkout', () => {
  assert.deepEqual(readSettings({}), {
    port: 8787,
    host: '127.0.0.1',
    loopback: true,
    home: path.join(ROOT, '.tandem'),
    models: path.join(ROOT, '.tandem', 'models'),
    device: 'auto',
  })
})

test('models follow the home unless set', () => {
  assert.equal(readSettings({ TANDEM_HOME: '/a' }).models, path.resolve('/a/models'))
  assert.equal(readSettings({ TANDEM_HOME: '/a', TANDEM_MODELS: '/b' }).models, path.resolve('/b'))
  assert.equal(readSettings({ TANDEM_HOME: 'a' }, '/from').home, path.resolve('/from/a'))
})

test('only loopback addresses count as loopback', () => {
  for (const [HOST, loopback] of [
    ['127.0.0.1', true],
    ['127.8.8.8', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.168.1.2', false],
  ] as const) {
    assert.equal(readSettings({ HOST }).loopback, loopback, HOST)
  }
})

test('a bad value is named with its variable and rule', () => {
  for (const PORT of ['65536', '-1', '80a', '1.5', '', ' 80', 'NaN', '1e3']) {
    rejects({ PORT }, /^PORT must be a whole number from 0 to 65535/)
  }
  rejects({ PORT: 'http' }, /`http`/)
  rejects({ HOST: 'example.com' }, /^HOST must be an IP address or localhost; it is `example\.com`\.$/)
  rejects({ TANDEM_DEVICE: 'tpu' }, /^TANDEM_DEVICE must be one of auto, cuda, webgpu, cpu; it is `tpu`\.$/)
  rejects({ TANDEM_HOME: '' }, /^TANDEM_HOME must not be empty; it is empty\.$/)
})

test('an address for this machine, whatever the server is bound to', () => {
  assert.equal(localUrl('0.0.0.0', 80), 'http://127.0.0.1:80')
  assert.equal(localUrl('::', 80), 'http://[::1]:80')
  assert.equal(localUrl('192.168.1.2', 80), 'http://192.168.1.2:80')
})

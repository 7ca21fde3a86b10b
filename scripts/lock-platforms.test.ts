import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { type LockFile, missingPlatforms } from './lock-platforms.ts'
import { ROOT } from './settings.ts'

test('the lock file installs on every platform', () => {
  const lock = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as LockFile
  assert.deepEqual(Object.keys(missingPlatforms(lock)), [], 'run: node scripts/lock-platforms.ts')
})

test('a build that is left out is found, with its platform', () => {
  const packages = {
    'node_modules/tool': {
      optionalDependencies: {
        '@tool/linux-x64': '1.2.3',
        '@tool/darwin-arm64': '1.2.3',
        '@tool/linux-x64-musl': '1.2.3',
      },
    },
    'node_modules/@tool/linux-x64': { version: '1.2.3' },
  }
  assert.deepEqual(missingPlatforms({ packages }), {
    'node_modules/@tool/darwin-arm64': { version: '1.2.3', os: ['darwin'], cpu: ['arm64'], optional: true },
    'node_modules/@tool/linux-x64-musl': {
      version: '1.2.3',
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
      optional: true,
    },
  })
})

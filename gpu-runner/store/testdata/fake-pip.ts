/**
 * Stands for pip's command line in tests, as there may be no Python and no index: `download … --dest FOLDER
 * NAME==VERSION`, or `--requirement FILE` with that in it, puts the wheel that FAKE_WHEEL names into the folder. Other names make it fail or wait for ever.
 */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dest: { type: 'string' },
    timeout: { type: 'string' },
    retries: { type: 'string' },
    requirement: { type: 'string' },
    platform: { type: 'string', multiple: true },
    'python-version': { type: 'string' },
    implementation: { type: 'string' },
    'require-hashes': { type: 'boolean' },
    quiet: { type: 'boolean' },
    'no-deps': { type: 'boolean' },
    'only-binary': { type: 'string' },
    'no-cache-dir': { type: 'boolean' },
    'disable-pip-version-check': { type: 'boolean' },
  },
})
const [command, named] = positionals
const requirement = values.requirement ? readFileSync(values.requirement, 'utf8').split(' ')[0] : named
const [name, version] = requirement?.split('==') ?? []
if (command !== 'download' || !values.dest || !version) {
  console.error(`ERROR: not understood: ${positionals.join(' ')}`)
  process.exit(2)
} else if (name === 'waits') {
  console.error('waiting')
  setInterval(() => {}, 1000)
} else if (name !== 'right') {
  console.error(`Looking\nERROR: No matching distribution found for ${requirement}`)
  process.exit(1)
} else {
  mkdirSync(values.dest, { recursive: true })
  copyFileSync(process.env.FAKE_WHEEL ?? '', path.join(values.dest, `${name}-${version}-py3-none-any.whl`))
}

// @ts-check
/**
 * Makes the checkout ready to run: installs what package-lock.json says if it is not there, with Node 24 among it.
 *
 * npm runs this before `npm start` and `npm test`, on whatever Node the user has; what follows runs on the Node that
 * was installed. With nothing to do it takes a few milliseconds.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { InstallLock } from './install-lock.mjs'

const OLDEST_NODE = 20
const INSTALLED_NODE = 24
const MS_BETWEEN_LINES = 5_000
const MS_BETWEEN_UPDATES = 500

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const modules = path.join(root, 'node_modules')
const lockFile = path.join(root, 'package-lock.json')
const stampFile = path.join(modules, '.tandem-lock')

/** A failure that needs no stack trace. */
class BootstrapError extends Error {}

async function main() {
  if (majorVersion(process.version) < OLDEST_NODE) {
    throw new BootstrapError(
      `Tandem needs Node ${OLDEST_NODE} or newer to set itself up; this is Node ${process.version}.\n` +
        'Get a newer one from https://nodejs.org and try again.',
    )
  }
  const stamp = `${createHash('sha256').update(readFileSync(lockFile)).digest('hex')} ${process.platform}-${process.arch}`
  if (readIfThere(stampFile) === stamp && runsInstalledNode()) return

  const lock = await InstallLock.take(path.join(root, 'dist', '.install-lock'), (pid) =>
    console.log(`Waiting for another process (${pid}) that installs the dependencies of this checkout …`),
  )
  process.once('exit', () => lock.release())
  if (readIfThere(stampFile) !== stamp && !installedByHand()) await install()
  checkNode()
  writeFileSync(stampFile, stamp)
}

/** @param {string} version */
function majorVersion(version) {
  return Number(/^v(\d+)\./.exec(version)?.[1] ?? 0)
}

/** @param {string} file */
function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function runsInstalledNode() {
  return process.execPath.startsWith(modules + path.sep) && majorVersion(process.version) === INSTALLED_NODE
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, os?: string[], cpu?: string[] }} LockedPackage
 * @param {string} file
 * @returns {Record<string, LockedPackage>} by path: `node_modules/hono`
 */
function lockedPackages(file) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'))
  delete packages['']
  return packages
}

/** Whether `npm install` or `npm ci` has already put in place what the lock file says. npm writes its record last. */
function installedByHand() {
  const record = path.join(modules, '.package-lock.json')
  if (!existsSync(record)) return false
  const wanted = lockedPackages(lockFile)
  const found = lockedPackages(record)
  const same = Object.entries(found).every(
    ([name, { version, integrity }]) => wanted[name]?.version === version && wanted[name]?.integrity === integrity,
  )
  return same && Object.entries(wanted).every(([name, { optional }]) => optional || name in found)
}

/** Runs `npm ci`; its output is shown only if it fails. */
async function install() {
  rmSync(stampFile, { force: true })
  const expected = Object.entries(lockedPackages(lockFile)).filter(
    ([, { os, cpu }]) => fits(os, process.platform) && fits(cpu, process.arch),
  )
  const started = Date.now()
  const line = () => {
    const done = expected.filter(([name]) => existsSync(path.join(root, name, 'package.json'))).length
    return `Installing dependencies: ${done} of ${expected.length} packages, ${Math.round((Date.now() - started) / 1000)} s`
  }
  const live = process.stdout.isTTY
  console.log('Installing dependencies (this happens once; about 1 GB on disk) …')
  const timer = setInterval(
    () => (live ? process.stdout.write(`\r\u001b[K${line()}`) : console.log(line())),
    live ? MS_BETWEEN_UPDATES : MS_BETWEEN_LINES,
  )
  const { code, output } = await runNpm(
    'ci',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--loglevel=error',
  )
  clearInterval(timer)
  if (live) process.stdout.write('\r\u001b[K')
  if (code !== 0) throw new BootstrapError(`npm could not install the dependencies:\n\n${output.trim()}`)
  console.log(`${line()}: done.`)
}

/**
 * @param {string[] | undefined} allowed `['linux', '!win32']`
 * @param {string} actual
 */
function fits(allowed, actual) {
  return (
    !allowed ||
    ((allowed.includes(actual) || allowed.every((name) => name.startsWith('!'))) && !allowed.includes(`!${actual}`))
  )
}

/**
 * Runs the npm that runs this, on the Node that it runs on: the one in node_modules is about to go.
 * @param {...string} args
 * @returns {Promise<{ code: number, output: string }>}
 */
function runNpm(...args) {
  const { npm_execpath: cli, npm_node_execpath: node, PATH = '' } = process.env
  const outside = PATH.split(path.delimiter).filter((folder) => !folder.startsWith(modules))
  const [command, prefix] = cli && node && !node.startsWith(modules) ? [node, [cli]] : ['npm', []]
  const child = spawn(command, [...prefix, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    // onnxruntime-node's package holds the libraries; its install script would fetch others that Tandem does not use.
    env: { ...process.env, PATH: outside.join(path.delimiter), ONNXRUNTIME_NODE_INSTALL: 'skip' },
  })
  /** @param {NodeJS.Signals} signal */
  const stop = (signal) => {
    child.kill(signal)
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  let output = ''
  const collect = (/** @type {Buffer} */ chunk) => {
    output = (output + chunk).slice(-20_000)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new BootstrapError(`npm could not be run: ${cause.message}`)))
    child.once('close', (code) => {
      process.off('SIGINT', stop).off('SIGTERM', stop)
      resolve({ code: code ?? 1, output })
    })
  })
}

/** The `node` package fetches its binary in an install script, which npm may have been told to skip. */
function checkNode() {
  const node = path.join(modules, '.bin', 'node')
  const { stdout = '' } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  if (majorVersion(stdout.trim()) === INSTALLED_NODE) return
  throw new BootstrapError(
    `Node ${INSTALLED_NODE}, which Tandem runs on, is not at ${node}.\n` +
      'Its package fetches it in an install script; if npm is set to ignore those (`npm config get ignore-scripts`), run\n' +
      '  npm rebuild node --ignore-scripts=false --foreground-scripts\n' +
      'and try again.',
  )
}

main().catch((error) => {
  console.error(error instanceof BootstrapError ? `\n${error.message}` : error)
  process.exit(1)
})

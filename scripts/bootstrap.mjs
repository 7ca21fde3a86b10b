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

/** For npm to end by itself when it is interrupted. */
const MS_TO_STOP = 2_000
const INSTALL_OPTIONS = [
  '--include=dev',
  '--include=optional',
  '--no-audit',
  '--no-fund',
  '--no-progress',
  '--loglevel=error',
]

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
  if (readIfThere(stampFile) !== stamp && !installedByHand()) await install(lock)
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

/**
 * Runs `npm ci`; its output is shown only if it fails.
 * @param {InstallLock} lock
 */
async function install(lock) {
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
  const { code, output } = await runNpm(lock, 'ci', ...INSTALL_OPTIONS)
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
 * Runs the npm that runs this, on the Node that it runs on: the one in node_modules is about to go. npm has a process
 * group of its own and, while it runs, the lock: should this process be killed, nobody else begins before npm has ended.
 * @param {InstallLock} lock
 * @param {...string} args
 * @returns {Promise<{ code: number, output: string }>}
 */
async function runNpm(lock, ...args) {
  const { npm_execpath: cli, npm_node_execpath: node, PATH = '' } = process.env
  const outside = PATH.split(path.delimiter).filter((folder) => !folder.startsWith(modules))
  const [command, prefix] = cli && node && !node.startsWith(modules) ? [node, [cli]] : ['npm', []]
  const child = spawn(command, [...prefix, ...args], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    // onnxruntime-node's package holds the libraries; its install script would fetch others that Tandem does not use.
    env: { ...process.env, PATH: outside.join(path.delimiter), ONNXRUNTIME_NODE_INSTALL: 'skip' },
  })
  if (child.pid !== undefined) lock.handTo(child.pid)
  const stopping = stopOnSignals(child)
  let output = ''
  const collect = (/** @type {Buffer} */ chunk) => {
    output = (output + chunk).slice(-20_000)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  /** @type {number | null} */
  const code = await new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new BootstrapError(`npm could not be run: ${cause.message}`)))
    child.once('close', resolve)
  })
  lock.handTo(process.pid)
  const exitCode = stopping()
  if (exitCode !== undefined) process.exit(exitCode)
  return { code: code ?? 1, output }
}

/**
 * Passes a request to stop on to npm and all that it started, and sees that they end.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => number | undefined} to be called when npm has ended: the code to exit with, if stopping was asked for
 */
function stopOnSignals(child) {
  /** @type {number | undefined} */
  let exitCode
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const signalGroup = (/** @type {NodeJS.Signals} */ name) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name)
    } catch {
      // It has ended.
    }
  }
  const stop = (/** @type {NodeJS.Signals} */ name) => {
    exitCode = name === 'SIGINT' ? 130 : 143
    signalGroup('SIGTERM')
    timer ??= setTimeout(() => signalGroup('SIGKILL'), MS_TO_STOP)
  }
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop)
  return () => {
    clearTimeout(timer)
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', stop)
    return exitCode
  }
}

/** The `node` package fetches its binary in an install script, which npm may have been told to skip. */
function checkNode() {
  const node = path.join(modules, '.bin', 'node')
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  if (majorVersion(stdout ?? '') === INSTALLED_NODE) return
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

/**
 * `node scripts/lock-platforms.ts`: gives the lock file an entry for each platform's build of a package.
 *
 * npm leaves out of the lock file what the registry at hand does not carry, and a mirror may carry one platform only;
 * `npm ci` then refuses to install anywhere. An entry without a hash is skipped where its platform is not, and looked up
 * by its exact version where it is.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from './settings.ts'

interface LockEntry {
  version?: string
  optional?: boolean
  dev?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}
export interface LockFile {
  packages: Record<string, LockEntry>
}

const SYSTEMS: Readonly<Record<string, string>> = {
  darwin: 'darwin',
  mac: 'darwin',
  linux: 'linux',
  win32: 'win32',
  windows: 'win32',
  win: 'win32',
  android: 'android',
  freebsd: 'freebsd',
  openbsd: 'openbsd',
  netbsd: 'netbsd',
  sunos: 'sunos',
  aix: 'aix',
  openharmony: 'openharmony',
  openharmonyos: 'openharmony',
}
const PROCESSORS: Readonly<Record<string, string>> = {
  64: 'x64',
  x64: 'x64',
  arm64: 'arm64',
  arm: 'arm',
  armv7l: 'arm',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  riscv64d: 'riscv64',
  s390x: 's390x',
  loong64: 'loong64',
  mips64el: 'mips64el',
  wasm32: 'wasm32',
}
const LIBRARIES: Readonly<Record<string, string>> = {
  musl: 'musl',
  musleabihf: 'musl',
  gnu: 'glibc',
  gnueabihf: 'glibc',
}

/** The platforms' packages that the lock file should hold and does not, with their entries. */
export function missingPlatforms({ packages }: LockFile): Record<string, LockEntry> {
  const missing: Record<string, LockEntry> = {}
  for (const [place, { dev, optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const key = `node_modules/${name}`
      if (key in packages || `${place}/${key}` in packages || !/^\d/.test(version)) continue
      missing[key] = { version, ...platformOf(name), ...(dev ? { dev } : {}), optional: true }
    }
  }
  return missing
}

/** `@biomejs/cli-linux-x64-musl` names its platform in its last words. */
function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> {
  const words = name.split('/').at(-1)?.split('-') ?? []
  const first = (table: Readonly<Record<string, string>>) => words.map((word) => table[word]).find((found) => found)
  const [os, cpu, libc] = [first(SYSTEMS), first(PROCESSORS), first(LIBRARIES)]
  return { ...(cpu ? { cpu: [cpu] } : {}), ...(os ? { os: [os] } : {}), ...(libc ? { libc: [libc] } : {}) }
}

if (process.argv[1] === import.meta.filename) {
  const file = path.join(ROOT, 'package-lock.json')
  const lock = JSON.parse(readFileSync(file, 'utf8')) as LockFile
  const missing = missingPlatforms(lock)
  const packages = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => (a < b ? -1 : 1))
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`)
  console.log(`Added ${Object.keys(missing).length} packages to package-lock.json`)
}

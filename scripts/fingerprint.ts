/** What a build was made from, in one hash: it is made again only when that changes. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from './settings.ts'

export type Target = 'web' | 'edge'

/** Files and folders. */
const INPUTS: Readonly<Record<Target, readonly string[]>> = {
  web: ['web', 'protocol', 'models/bundled', 'package-lock.json', 'scripts/build.ts'],
  edge: [
    'edge',
    'protocol',
    'models/bundled',
    'models/catalogue',
    'wrangler.toml',
    'package.json',
    'package-lock.json',
    'scripts/build.ts',
  ],
}

/** The folder that a target is built into. */
export function outputOf(target: Target): string {
  return path.join(ROOT, 'dist', target)
}

export function stampOf(target: Target): string {
  return path.join(ROOT, 'dist', `${target}.stamp`)
}

export function fingerprint(target: Target): string {
  // The Worker's options bear absolute paths: a checkout that was moved is built again.
  const hash = createHash('sha256').update(ROOT)
  for (const input of INPUTS[target]) {
    for (const file of filesOf(path.join(ROOT, input))) {
      const bytes = readFileSync(file)
      hash.update(`\0${path.relative(ROOT, file)}\0${bytes.length}\0`).update(bytes)
    }
  }
  return hash.digest('hex')
}

/** Whether what stands in `dist` was built from what is there now. */
export function isBuilt(target: Target): boolean {
  try {
    return readFileSync(stampOf(target), 'utf8') === fingerprint(target)
  } catch {
    return false
  }
}

function filesOf(input: string): string[] {
  if (statSync(input).isFile()) return [input]
  return readdirSync(input, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
}

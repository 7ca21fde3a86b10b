/** What the files in deploy/ say about the code is so: settings, scripts, routes, versions. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ROOT } from '#scripts/settings.ts'

const DEPLOY = path.join(ROOT, 'deploy')
const TEMPLATES = 'helm/tandem/templates'

const read = (file: string) => readFileSync(path.join(DEPLOY, file), 'utf8')
const namesIn = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name)
const packageJson = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  version: string
  imports: Record<string, string>
  devDependencies: Record<string, string>
}

/** Names of environment variables, by file. */
const SETTINGS: readonly (readonly [string, RegExp])[] = [
  ['Dockerfile', /^(?:ENV| {3}) ([A-Z_]+)=/gm],
  ['Dockerfile.cuda', /^(?:ENV| {3}) ([A-Z_]+)=/gm],
  ['compose.yaml', /\b([A-Z]+_[A-Z_]+)(?:: |=http)/g],
  ['compose.cuda.yaml', /^ {6}([A-Z_]+): /gm],
  [`${TEMPLATES}/runner.yaml`, /- name: ([A-Z_]+)$/gm],
  [`${TEMPLATES}/_helpers.tpl`, /- name: ([A-Z_]+)$/gm],
]
/** Read by Node, NVIDIA's container runtime, Grafana, or the manifest itself. */
const OF_OTHERS = /^(NODE_ENV|NVIDIA_\w+|GF_\w+|POD_IP)$/

test('every setting is one that the code reads', () => {
  const code = globSync('{scripts,gpu-runner}/**/*.ts', { cwd: ROOT, exclude: (name) => name.endsWith('.test.ts') })
    .map((file) => readFileSync(path.join(ROOT, file), 'utf8'))
    .join('\n')
  for (const [file, pattern] of SETTINGS) {
    const names = namesIn(read(file), pattern).filter((name) => name !== '')
    assert.ok(names.length > 0, `${file} names settings`)
    for (const name of names) {
      if (OF_OTHERS.test(name)) continue
      assert.match(code, new RegExp(`\\b${name}\\b`), `${file} sets ${name}, which nothing reads`)
    }
  }
})

test('every script that is run is there, and in the image', () => {
  const files = ['Dockerfile', 'Dockerfile.cuda', 'compose.yaml', 'compose.cuda.yaml']
  const templates = ['edge.yaml', 'runner.yaml'].map((name) => `${TEMPLATES}/${name}`)
  const scripts = [...files, ...templates].flatMap((file) =>
    namesIn(read(file), /\b((?:scripts|gpu-runner)\/[\w-]+\.ts)/g),
  )
  assert.ok(scripts.length > 8)
  for (const script of scripts) assert.ok(existsSync(path.join(ROOT, script)), script)
})

test('the image has every folder that the code imports from', () => {
  const letIn = namesIn(readFileSync(path.join(ROOT, '.dockerignore'), 'utf8'), /^!(.+)$/gm)
  const folders = Object.values(packageJson.imports).map((target) => target.replace(/^\.\/|\/\*$/g, ''))
  for (const folder of [...folders.filter((name) => name !== 'tests'), 'web', 'wrangler.toml', 'tsconfig.json']) {
    assert.ok(letIn.includes(folder), `.dockerignore keeps ${folder} out`)
  }
})

test('probes and scalers ask for routes that there are', () => {
  const routes = globSync('edge/{routes,openapi}/*.ts', { cwd: ROOT })
    .map((file) => readFileSync(path.join(ROOT, file), 'utf8'))
    .join('\n')
  const paths = namesIn(read(`${TEMPLATES}/edge.yaml`), /httpGet: \{ path: ([^,]+),/g)
  const scaler = namesIn(read(`${TEMPLATES}/scaling.yaml`), /%v(\/[\w/]+)/g)
  assert.equal(paths.length + scaler.length, 3)
  for (const route of [...paths, ...scaler]) assert.ok(routes.includes(`path: '${route}'`), route)
})

test('versions are those of the package', () => {
  const { version, devDependencies } = packageJson
  const chart = read('helm/tandem/Chart.yaml')
  assert.deepEqual(namesIn(chart, /^(?:version|appVersion): (.+)$/gm), [version, version])
  const tags = ['Dockerfile', 'Dockerfile.cuda', 'compose.yaml', 'compose.cuda.yaml'].flatMap((file) =>
    namesIn(read(file), /\btandem:([\d.]+)/g),
  )
  assert.deepEqual([...new Set(tags)], [version])
  const nodes = namesIn(read('Dockerfile'), /^FROM node:([\d.]+)-/gm)
  assert.deepEqual(nodes, [devDependencies.node, devDependencies.node, devDependencies.node])
})

/** The page's first load: the document, its script and its styles, compressed. Fails when it is over the limit. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'

const LIMIT = 60 * 1024
const built = path.join(import.meta.dirname, '..', 'dist', 'web')

const html = readFileSync(path.join(built, 'index.html'), 'utf8')
const files = ['index.html', ...[...html.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, name]) => name ?? '')]
const sizes = files.map((name) => ({ name, bytes: gzipSync(readFileSync(path.join(built, name))).length }))
const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
for (const { name, bytes } of sizes) console.log(`${(bytes / 1024).toFixed(1).padStart(8)} KB  ${name}`)
console.log(`${(total / 1024).toFixed(1).padStart(8)} KB  in all, of ${LIMIT / 1024} KB`)
if (total > LIMIT) process.exitCode = 1

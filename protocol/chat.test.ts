import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { CHAT_PARAMETERS } from './chat.ts'

test('docs/compatibility.md says how each parameter of a chat completion is treated', async () => {
  const document = await readFile(new URL('../docs/compatibility.md', import.meta.url), 'utf8')
  const [, section = ''] = document.split('\n## `POST /v1/chat/completions`\n')
  const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)` \| (\w+) \|/gm)]
  const documented = rows.map(([, name, treatment]) => `${name}: ${treatment}`)
  const actual = Object.entries(CHAT_PARAMETERS).flatMap(([treatment, names]) =>
    names.map((name) => `${name}: ${treatment}`),
  )
  assert.deepEqual(documented.sort(), actual.sort())
})

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { CHAT_PARAMETERS } from './chat.ts'
import { COMPLETION_PARAMETERS } from './completions.ts'
import { DEEPL_PARAMETERS } from './deepl.ts'
import { EMBEDDING_PARAMETERS } from './embeddings.ts'
import { IMAGE_PARAMETERS } from './image-generations.ts'
import { RESPONSE_PARAMETERS } from './responses.ts'

for (const [route, parameters, file] of [
  ['/v1/chat/completions', CHAT_PARAMETERS, 'compatibility'],
  ['/v1/completions', COMPLETION_PARAMETERS, 'compatibility'],
  ['/v1/responses', RESPONSE_PARAMETERS, 'compatibility'],
  ['/v1/embeddings', EMBEDDING_PARAMETERS, 'compatibility'],
  ['/v1/images/generations', IMAGE_PARAMETERS, 'compatibility'],
  ['/v2/translate', DEEPL_PARAMETERS, 'translation'],
] as const) {
  test(`docs/${file}.md says how ${route} treats each parameter`, async () => {
    const document = await readFile(new URL(`../docs/${file}.md`, import.meta.url), 'utf8')
    const [, section = ''] = document.split(`\n## \`POST ${route}\`\n`)
    const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)` \| (\w+) \|/gm)]
    const documented = rows.map(([, name, treatment]) => `${name}: ${treatment}`)
    const actual = Object.entries(parameters).flatMap(([treatment, names]) =>
      names.map((name) => `${name}: ${treatment}`),
    )
    assert.deepEqual(documented.sort(), actual.sort())
  })
}

/** What the clients' own types say that there is. */
for (const [route, file, type, parameters] of [
  ['/v1/chat/completions', 'chat/completions/completions', 'ChatCompletionCreateParamsBase', CHAT_PARAMETERS],
  ['/v1/completions', 'completions', 'CompletionCreateParamsBase', COMPLETION_PARAMETERS],
  ['/v1/responses', 'responses/responses', 'ResponseCreateParamsBase', RESPONSE_PARAMETERS],
] as const) {
  test(`${route} knows each parameter of OpenAI's client`, async () => {
    const types = await readFile(new URL(`../node_modules/openai/resources/${file}.d.ts`, import.meta.url), 'utf8')
    const [, body = ''] = types.split(`export interface ${type} {\n`)
    const names = [...(body.split('\n}\n')[0] ?? '').matchAll(/^ {4}(\w+)\??:/gm)].map(([, name]) => name)
    assert.ok(names.length > 10)
    const known: readonly string[] = Object.values(parameters).flat()
    assert.deepEqual(
      names.filter((name) => name !== undefined && !known.includes(name)),
      [],
    )
  })
}

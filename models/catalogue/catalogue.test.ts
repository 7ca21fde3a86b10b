import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { catalogue, defaultModel } from './catalogue.ts'

test('every file of the folder is an entry, and no two share a name', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.json'))
  const ids = catalogue().map(({ id }) => `${id}.json`)
  assert.deepEqual(ids.toSorted(), files.toSorted())
})

test('the default chat model is SmolLM2', () => assert.equal(defaultModel('chat').id, 'smollm2-135m-instruct'))

/** Against what Hugging Face's `tokenizers` cuts with the models' own expressions (see `testdata`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textSplitter } from './pre-tokenizer.ts'
import splits from './testdata/splits.json' with { type: 'json' }

for (const name of ['gpt-2', 'qwen2', 'llama-bpe'] as const) {
  test(`${name} cuts text into the same pieces`, () => {
    const { split } = textSplitter(name)
    for (const pieces of splits[name]) {
      const text = pieces.join('')
      assert.deepEqual(text === '' ? [] : split(text), pieces, JSON.stringify(text))
    }
  })
}

/** Against sacrebleu's scores: testdata/make_scores.py. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bleu } from './bleu.ts'
import { chrf } from './chrf.ts'
import reference from './testdata/scores.json' with { type: 'json' }

for (const { name, hypotheses, references, ...scores } of reference.corpora) {
  test(`BLEU and chrF++ are sacrebleu's: ${name}`, () => {
    const near = (actual: number, expected: number) =>
      assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`)
    near(bleu(hypotheses, references), scores.bleu)
    near(chrf(hypotheses, references), scores.chrf)
  })
}

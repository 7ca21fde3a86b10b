import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FileProblem } from '../task.ts'
import { parseTable } from './table.ts'

const COLUMNS = ['pressure', 'load']

test('columns are found by their names, in the order of the model', () => {
  const table = parseTable('load,note,pressure\n1,a,-2.5e1\n\n3,b,.5\n', COLUMNS)
  assert.deepEqual(table, {
    columns: COLUMNS,
    lines: [2, 4],
    rows: [
      [-25, 1],
      [0.5, 3],
    ],
  })
})

for (const [what, source, message] of [
  ['nothing', '', /empty/],
  ['a header alone', 'pressure,load\n', /no rows/],
  ['a missing column', 'pressure\n1\n', /“load”/],
  ['text among the numbers', 'pressure,load\n1,2\n3,high\n', /Line 3.*“load”.*“high”/],
  ['an empty cell', 'pressure,load\n1,\n', /Line 2.*“load”/],
  ['NaN', 'pressure,load\nNaN,1\n', /Line 2.*“pressure”/],
] as const) {
  test(`says what is wrong: ${what}`, () => {
    assert.throws(
      () => parseTable(source, COLUMNS),
      (error) => error instanceof FileProblem && message.test(error.message),
    )
  })
}

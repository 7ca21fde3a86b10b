import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { csvLine, parseCsv } from './csv.ts'

const cellsOf = (text: string) => [...parseCsv(text)].map(({ cells }) => cells)

test('what is written is read again, whatever is in the cells', () => {
  const cell = fc.oneof(fc.string(), fc.constantFrom('', '"', ',', 'a,b', 'x\ny', 'a "b" c', ' edge ', '1.5'))
  // A line of one empty cell is an empty line.
  const line = fc.array(cell, { minLength: 2, maxLength: 5 })
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => {
      const header = ['one', 'two', 'three', 'four', 'five', 'six']
      assert.deepEqual(cellsOf([header, ...lines].map(csvLine).join('')), [header, ...lines])
    }),
  )
})

for (const [what, text, expected] of [
  [
    'semicolons',
    'a;b\n1,5;2',
    [
      ['a', 'b'],
      ['1,5', '2'],
    ],
  ],
  [
    'tabs, and no line end at the end',
    'a\tb\n1\t2',
    [
      ['a', 'b'],
      ['1', '2'],
    ],
  ],
  [
    'a byte order mark, CRLF and empty lines',
    '\uFEFFa,b\r\n\r\n1,2\r\n\r\n',
    [
      ['a', 'b'],
      ['1', '2'],
    ],
  ],
  [
    'quotes, doubled quotes and a line end within',
    '"a ""x""","b\nc"\n1,2',
    [
      ['a "x"', 'b\nc'],
      ['1', '2'],
    ],
  ],
  [
    'an empty cell at the end',
    'a,b\n1,',
    [
      ['a', 'b'],
      ['1', ''],
    ],
  ],
  ['a quote that is never closed', 'a\n"b\nc', [['a'], ['b\nc']]],
  ['nothing', '', []],
] as const) {
  test(`reads ${what}`, () => assert.deepEqual(cellsOf(text), expected))
}

test('a line knows its number in the file, after lines within quotes too', () => {
  const lines = [...parseCsv('a,b\n"x\ny",1\n\n3,4\n')]
  assert.deepEqual(
    lines.map(({ line }) => line),
    [1, 2, 5],
  )
})

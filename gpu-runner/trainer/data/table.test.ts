import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Random } from '../random.ts'
import { DataSetError, type DataSetErrorCode } from './data-set-error.ts'
import { numberColumns, readTable, type TableOptions } from './table.ts'

describe('a table', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tandem-table-'))
  })
  after(() => rm(folder, { recursive: true }))

  let written = 0
  const read = async (text: string | Buffer, options?: TableOptions) => {
    const file = path.join(folder, `${written++}`)
    await writeFile(file, text)
    return readTable(file, options)
  }
  const refuses = async (
    text: string | Buffer,
    code: DataSetErrorCode,
    message: RegExp,
    { line, ...options }: TableOptions & { line?: number } = {},
  ) => {
    await assert.rejects(read(text, options), (error) => {
      assert.ok(error instanceof DataSetError, String(error))
      assert.equal(error.code, code, error.message)
      assert.match(error.message, message)
      if (line !== undefined) assert.equal(error.line, line)
      return true
    })
  }

  test('is read from CSV in all its forms', async () => {
    const forms = [
      'a,b\n1,2\n3,-4.5e1\n',
      '\uFEFFa,b\r\n1,2\r\n3,-45',
      'a;b\n1;2\n\n3;-45.0\n',
      'a\tb\n1\t2\n 3 \t-45',
      '"a","b"\n"1",2\n3,"-45"',
      '{"a": 1, "b": 2}\n\n{"b": -45, "a": "3"}\n',
    ]
    for (const form of forms) {
      const { count, columns, values } = await read(form)
      assert.deepEqual([count, columns.map(({ name }) => name), [...values]], [2, ['a', 'b'], [1, 2, 3, -45]], form)
    }
    const quoted = await read('"a, ""b""",c\n1,2\n2,3')
    assert.deepEqual(quoted.columns, [{ name: 'a, "b"' }, { name: 'c' }])
  })

  test('is trained on in the columns that are wanted, its label apart', async () => {
    const text = 'time,x,y,bad\nmonday,1,2,0\ntuesday,2,5,1\n'
    const { columns, values, labels } = await read(text, { columns: ['y', 'x'], label: 'bad' })
    assert.deepEqual(
      [columns, [...values], [...(labels ?? [])]],
      [
        [{ name: 'y' }, { name: 'x' }],
        [2, 1, 5, 2],
        [0, 1],
      ],
    )
    const all = await read('x,bad\n1,false\n2,true\n', { label: 'bad' })
    assert.deepEqual([all.columns.length, [...(all.labels ?? [])]], [1, [0, 1]])
    await refuses(text, 'unknown_column', /no column 'z'; the table has 'time, x, y, bad'/, { columns: ['z'] })
    await refuses(text, 'unknown_column', /no column to train on/, { columns: [] })
    await refuses('x,bad\n1,2\n2,1\n', 'bad_value', /column 'bad': expected 0 or 1, got '2'/, { label: 'bad' })
  })

  test('has numbers in some columns, as its first row shows', async () => {
    const file = path.join(folder, 'mixed')
    await writeFile(file, 'time,x,y,bad\nmonday,1,-2.5e3,0\n2,,5,1\n')
    assert.deepEqual(await numberColumns(file, 'bad'), {
      columns: ['x', 'y'],
      warnings: ["Column 'time' is left out: it does not begin with a number."],
    })
    await writeFile(file, 'a,b\nx,y\n')
    await assert.rejects(numberColumns(file), /no column of numbers/)
    await writeFile(file, 'a,b\n')
    await assert.rejects(numberColumns(file), /got 0/)
  })

  test('that is wrong is refused where it is wrong', async () => {
    await refuses('', 'too_few', /empty/)
    await refuses(' \n\n', 'too_few', /empty/)
    await refuses('a,b\n', 'too_few', /at least 2 rows below the header, got 0/)
    await refuses('a,b\n1,2\n', 'too_few', /got 1/)
    await refuses('1,2\n3,4\n5,6\n', 'bad_header', /header is missing.*'1, 2'/)
    await refuses('a,\n1,2\n3,4\n', 'bad_header', /Column 2 has no name/)
    await refuses('a,b,a\n1,2,3\n3,4,5\n', 'bad_header', /Columns 1 and 3 are both called 'a'/)
    await refuses('a,b\n1,2\n3\n', 'ragged_row', /Line 3 has 1 cells, the header has 2/, { line: 3 })
    await refuses('a,b\n1,2\n\n3,4,5\n', 'ragged_row', /Line 4 has 3 cells/, { line: 4 })
    await refuses('a,b\n1,2\n3,x\n', 'bad_value', /Line 3, column 'b': expected a number, got 'x'/, { line: 3 })
    await refuses('a,b\n1,\n3,4\n', 'bad_value', /Line 2, column 'b': expected a number, got nothing/, { line: 2 })
    for (const value of ['NaN', 'Infinity', '-inf', '1e999', '1e39', '0x10', '1_000', '--1', '1 2']) {
      await refuses(`a,b\n1,${value}\n3,4\n`, 'bad_value', /column 'b'/)
    }
    await refuses('a;b\n1;2,5\n3;4\n', 'bad_value', /Decimals are written with a point/)
    await refuses('a,b\n1,2\n1,4\n', 'constant_column', /Column 'a' is 1 in every row/)
    await refuses('a,b\n"1,2\n1,4\n', 'unreadable', /cannot be read as CSV/)
    await refuses(Buffer.from([0x50, 0x4b, 3, 4, 0, 0]), 'unreadable', /not text/)
    await refuses(`${Array.from({ length: 1025 }, (_, i) => `c${i}`).join()}\n`, 'too_large', /columns: 1025.*1024/)
  })

  test('in JSONL is refused where it is wrong', async () => {
    await refuses('{"a":1}\n{"a":2', 'unreadable', /Line 2 is not valid JSON/, { line: 2 })
    await refuses('{"a":1}\n[2]', 'unreadable', /Line 2 is not a JSON object/)
    await refuses('{"a":1,"b":1}\n{"a":2}', 'ragged_row', /Line 2 lacks 'b'/)
    await refuses('{"a":1}\n{"a":2,"b":1}', 'ragged_row', /Line 2 has 'b'/)
    await refuses('{"a":1}\n{"a":null}', 'bad_value', /got 'null'/)
    await refuses('{"a":1}\n{"a":{"b":1}}', 'bad_value', /got '\{"b":1\}'/)
    await refuses('{"a":1}\n{"a":1e999}', 'bad_value', /column 'a'/)
    await refuses('{}\n{}', 'bad_header', /empty/)
    await refuses('{"__proto__":1,"a":1}\n{"a":2}', 'ragged_row', /lacks '__proto__'/)
  })

  test('is read or refused, however it is damaged', async () => {
    const random = new Random(29)
    const wholes = ['a,b,c\n1,2,3\n"4",5,6\n7,8,9\n', '{"a":1,"b":2}\n{"a":3,"b":4}\n']
    let refused = 0
    for (let i = 0; i < 300; i++) {
      const damaged = Buffer.from(wholes[i % 2] ?? '')
      for (let k = 0; k <= i % 3; k++)
        damaged[Math.floor(random.uniform() * damaged.length)] = Math.floor(random.uniform() * 256)
      await read(damaged).catch((error: unknown) => {
        assert.ok(error instanceof DataSetError, `${i}: ${error}`)
        refused++
      })
    }
    assert.ok(refused > 150 && refused < 300, String(refused))
  })

  test('of many rows is read whole', async () => {
    const rows = Array.from({ length: 50_000 }, (_, i) => `${i},${i * 2}`)
    const { count, values } = await read(`a,b\n${rows.join('\n')}\n`)
    assert.deepEqual([count, values.length, values[99_999]], [50_000, 100_000, 99_998])
  })
})

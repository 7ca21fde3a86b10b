import assert from 'node:assert/strict'
import { test } from 'node:test'
import { duration, megabytes, Reporter } from './reporter.ts'

function terminal(isTTY: boolean, columns = 40) {
  const written: string[] = []
  return { isTTY, columns, written, write: (text: string) => written.push(text) > 0 }
}

test('on a terminal, progress stays on one line below what happened', () => {
  const output = terminal(true)
  const reporter = new Reporter(output)
  reporter.progress('pull', '10 %')
  reporter.line('built')
  reporter.progress('pull', undefined)
  assert.deepEqual(output.written, ['\r\u001b[K10 %', '\r\u001b[Kbuilt\n', '\r\u001b[K10 %', '\r\u001b[K'])
})

test('a live line never wraps', () => {
  const output = terminal(true, 8)
  new Reporter(output).progress('pull', '0123456789')
  assert.deepEqual(output.written, ['\r\u001b[K0123456'])
})

test('in a file, progress is a plain line now and then', () => {
  const output = terminal(false)
  let now = 0
  const reporter = new Reporter(output, { now: () => now })
  for (; now <= 10_000; now += 1000) reporter.progress('pull', `at ${now}`)
  assert.deepEqual(output.written, ['at 0\n', 'at 5000\n', 'at 10000\n'])
})

test('sizes and times are readable', () => {
  assert.equal(megabytes(98_362_432), '98.4 MB')
  assert.equal(duration(0.2), '1 s')
  assert.equal(duration(200), '3 min 20 s')
})

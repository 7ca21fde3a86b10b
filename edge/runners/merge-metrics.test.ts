import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergeMetrics } from './merge-metrics.ts'

const text = (n: number) =>
  `# HELP up Whether.\n# TYPE up gauge\nup ${n}\n# HELP t Time.\n# TYPE t histogram\nt_bucket{le="1",m="x"} ${n}\nt_sum{m="x"} ${n}\n`

test('one runner’s metrics stay as they are', () => {
  assert.equal(mergeMetrics([{ runner: 'a', text: text(1) }]), text(1))
})

test('several have each family once, and each sample with its runner', () => {
  const merged = mergeMetrics([
    { runner: 'a', text: text(1) },
    { runner: 'b', text: text(2) },
  ])
  assert.equal(
    merged,
    [
      '# HELP up Whether.',
      '# TYPE up gauge',
      'up{runner="a"} 1',
      'up{runner="b"} 2',
      '# HELP t Time.',
      '# TYPE t histogram',
      't_bucket{le="1",m="x",runner="a"} 1',
      't_sum{m="x",runner="a"} 1',
      't_bucket{le="1",m="x",runner="b"} 2',
      't_sum{m="x",runner="b"} 2',
      '',
    ].join('\n'),
  )
})

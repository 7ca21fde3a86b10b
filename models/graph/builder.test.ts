import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GraphBuilder } from './builder.ts'
import { formatType } from './tensor-type.ts'
import { verify as verifyAgain } from './verify.ts'

const floats = (length: number) => () => new Float32Array(length)
/** The types that `build` gives, as text. */
const types = (build: (g: GraphBuilder) => readonly Parameters<typeof formatType>[0][]) =>
  build(new GraphBuilder('test')).map(formatType)
const rejects = (build: (g: GraphBuilder) => unknown, message: RegExp) =>
  assert.throws(() => build(new GraphBuilder('test')), { name: 'GraphError', message })

test('shapes are inferred, symbolic dimensions included', () => {
  assert.deepEqual(
    types((g) => g.op('Add', [g.input('a', 'float32', ['batch', 1, 4]), g.input('b', 'float32', [3, 1])], {})),
    ['float32[batch, 3, 4]'],
  )
  assert.deepEqual(
    types((g) =>
      g.op('MatMul', [g.input('a', 'float32', ['batch', 's', 4]), g.weight('w', 'float32', [4, 7], floats(28))], {}),
    ),
    ['float32[batch, s, 7]'],
  )
  assert.deepEqual(
    types((g) => g.op('Gather', [g.input('table', 'float32', [9, 4]), g.input('ids', 'int64', ['n', 2])], {})),
    ['float32[n, 2, 4]'],
  )
  assert.deepEqual(
    types((g) => g.op('Reshape', [g.input('a', 'float32', ['b', 's', 6]), g.integers([-1, 6])], {})),
    ['float32[b*s, 6]'],
  )
  assert.deepEqual(
    types((g) => g.op('Split', [g.input('a', 'float32', ['b', 6]), g.integers([2, 4])], { axis: -1 })),
    ['float32[b, 2]', 'float32[b, 4]'],
  )
  assert.deepEqual(
    types((g) => g.op('Concat', [g.input('a', 'float32', ['b', 6]), g.input('c', 'float32', ['b', 2])], { axis: -1 })),
    ['float32[b, 8]'],
  )
})

test('a mistake names the node and what is wrong', () => {
  rejects(
    (g) => g.in('ffn', () => g.op('MatMul', [g.input('a', 'float32', [2, 3]), g.input('b', 'float32', [4, 5])], {})),
    /^ffn\/MatMul: MatMul: 3 columns meet 4 rows$/,
  )
  rejects((g) => g.op('Add', [g.input('a', 'float32', [2]), g.input('b', 'float32', [3])], {}), /do not broadcast/)
  rejects(
    (g) => g.op('Split', [g.input('a', 'float32', [6]), g.integers([2, 3])], { axis: 0 }),
    /parts of 2,3 do not add up to 6/,
  )
  rejects(
    (g) => g.op('Concat', [g.input('a', 'float32', ['b', 6]), g.input('c', 'float32', [1, 6])], { axis: -1 }),
    /float32\[1,6\] does not fit beside float32\[b,6\]/,
  )
  rejects((g) => [g.input('a', 'float32', [1]), g.input('a', 'float32', [1])], /a: the name is taken/)
})

test('a finished graph is verified: each rule finds its fault', () => {
  const built = (alter: (graph: ReturnType<GraphBuilder['build']>) => object) => {
    const g = new GraphBuilder('test')
    const x = g.input('x', 'float32', ['n', 4])
    const [sum] = g.op('Add', [x, g.weight('bias', 'float32', [4], floats(4))], {})
    const [y] = g.op('QuickGelu', [sum], { alpha: 1 })
    g.output(y, 'y')
    const graph = g.build()
    return { ...graph, ...alter(graph) }
  }
  const faults: [RegExp, Parameters<typeof built>[0]][] = [
    [/reads .* before it is written/, ({ nodes }) => ({ nodes: [...nodes].reverse() })],
    [/written twice/, ({ nodes }) => ({ nodes: [...nodes, ...nodes] })],
    [/output y is never written/, ({ nodes }) => ({ nodes: nodes.slice(0, 1) })],
    [
      /has 1 inputs, not 2 to 2/,
      ({ nodes: [add, ...rest] }) => ({ nodes: [{ ...add, inputs: add?.inputs.slice(0, 1) }, ...rest] }),
    ],
    [/alpha has to be float/, ({ nodes: [add, gelu] }) => ({ nodes: [add, { ...gelu, attributes: {} }] })],
    [
      /has no attribute beta/,
      ({ nodes: [add, gelu] }) => ({ nodes: [add, { ...gelu, attributes: { alpha: 1, beta: 2 } }] }),
    ],
    [
      /y is float32\[n, 4\], not float32\[n, 5\]/,
      ({ nodes: [add, gelu] }) => ({
        nodes: [add, { ...gelu, outputs: [{ name: 'y', element: 'float32', shape: ['n', 5] }] }],
      }),
    ],
    [
      /bias has a symbolic dimension/,
      ({ initializers: [bias] }) => ({ initializers: [{ ...bias, value: { ...bias?.value, shape: ['n'] } }] }),
    ],
  ]
  for (const [message, alter] of faults) {
    const graph = built(alter) as ReturnType<GraphBuilder['build']>
    assert.throws(() => verifyAgain(graph), { name: 'GraphError', message }, String(message))
  }
})

/** Gradients against differences of the function itself. */
import assert from 'node:assert/strict'
import { gradients } from '#models/autodiff/gradients.ts'
import { dimsOf, mul, sumAll } from '#models/graph/arithmetic.ts'
import { GraphBuilder } from '#models/graph/builder.ts'
import type { Value } from '#models/graph/graph.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { Random } from '../trainer/random.ts'
import { runnable } from './graph-runner.ts'

export interface DifferentiableCase {
  /** Shapes of what is differentiated by. */
  readonly shapes: readonly (readonly number[])[]
  readonly build: (g: GraphBuilder, ...inputs: Value[]) => Value | readonly Value[]
  /** What an input is made of a normal number; the number itself by default. */
  readonly at?: (normal: number, input: number) => number
}

const STEP = 1 / 64
/** The difference of fourth order: (f(−2h) − 8f(−h) + 8f(h) − f(2h)) / 12h. */
const STENCIL = [
  [-2, 1 / 12],
  [-1, -8 / 12],
  [1, 8 / 12],
  [2, -1 / 12],
] as const

/**
 * Compares the gradients of a random weighted sum of the outputs with differences, element by element. Both are computed
 * in float32, so they agree to about 1e-4 of the largest gradient.
 */
export function checkGradients(ort: Runtime, { shapes, build, at = (x) => x }: DifferentiableCase): void {
  const random = new Random(7)
  const g = new GraphBuilder('checked')
  const inputs = shapes.map((shape, i) => g.input(`x${i}`, 'float32', shape))
  const built = build(g, ...inputs)
  const outputs: readonly Value[] = Array.isArray(built) ? built : [built as Value]
  const weights = outputs.map((output) => {
    const data = random.normals(new Float32Array(dimsOf(output).reduce((a, b) => a * b, 1)))
    return { data, value: g.weight(`w_${output.name}`, 'float32', output.shape, () => data) }
  })
  const weighted = outputs.map((output, i) => sumAll(g, mul(g, output, weights[i]?.value ?? 1)))
  const loss = weighted.length === 1 ? weighted[0] : g.op('Sum', weighted, {})[0]
  if (!loss) throw new TypeError('no outputs')
  const found = gradients(g, loss, inputs)
  for (const [i, gradient] of found.entries()) g.output(g.op('Identity', [gradient], {})[0], `d${i}`)
  for (const [i, output] of outputs.entries()) g.output(g.op('Identity', [output], {})[0], `y${i}`)
  using graph = runnable(ort, g.build())
  const dataOf = (tensors: typeof graph.inputs, name: string) => tensors[name]?.data as Float32Array
  for (const [i, shape] of shapes.entries()) {
    random.normals(dataOf(graph.inputs, `x${i}`))
    const data = dataOf(graph.inputs, `x${i}`)
    for (let j = 0; j < shape.reduce((a, b) => a * b, 1); j++) data[j] = at(data[j] ?? 0, i)
  }
  graph.run()
  const analytic = shapes.map((_, i) => Float64Array.from(dataOf(graph.outputs, `d${i}`)))
  const value = () => {
    graph.run()
    return weights.reduce((sum, { data }, i) => {
      const y = dataOf(graph.outputs, `y${i}`)
      return y.reduce((total, element, j) => total + element * (data[j] ?? 0), sum)
    }, 0)
  }
  for (const [i, expected] of analytic.entries()) {
    const data = dataOf(graph.inputs, `x${i}`)
    const scale = Math.max(1, ...expected.map(Math.abs))
    for (let j = 0; j < data.length; j++) {
      const x = data[j] ?? 0
      let difference = 0
      for (const [steps, weight] of STENCIL) {
        data[j] = x + steps * STEP
        difference += weight * value()
      }
      data[j] = x
      const slope = difference / STEP
      const error = Math.abs(slope - (expected[j] ?? Number.NaN)) / scale
      assert.ok(error < 5e-4, `input ${i}, element ${j}: ${expected[j]}, but the difference is ${slope}`)
    }
  }
}

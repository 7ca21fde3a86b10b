import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { GraphBuilder } from '#models/graph/builder.ts'
import { ExternalData, encodeModel } from '#models/graph/encode.ts'
import { OrtError } from './ort-c-api.ts'
import { Runtime } from './runtime.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'tandem-runtime-'))
after(() => rmSync(folder, { recursive: true }))

/** y = (x + bias) · w with bias and w in the external file, written and loaded. */
function affine(name: string, { width = 512 } = {}): string {
  const g = new GraphBuilder(name)
  const x = g.input('x', 'float32', ['n', width])
  const bias = g.weight('bias', 'float32', [width], () => Float32Array.from({ length: width }, (_, i) => i))
  const identity = () => Float32Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? 2 : 0))
  const [sum] = g.op('Add', [x, bias], {})
  const [y] = g.op('MatMul', [sum, g.weight('w', 'float32', [width, width], identity)], {})
  g.output(y, 'y')
  const external = new ExternalData(`${name}.bin`)
  const model = encodeModel(g.build(), external)
  const file = Buffer.alloc(Math.max(...external.tensors.map((tensor) => tensor.offset + tensor.byteLength)))
  for (const { offset, data } of external.tensors) file.set(new Uint8Array(data().buffer), offset)
  writeFileSync(path.join(folder, `${name}.bin`), file)
  writeFileSync(path.join(folder, `${name}.onnx`), model)
  return path.join(folder, `${name}.onnx`)
}

test('a graph of ours runs, its weights read from the external file', () => {
  using ort = new Runtime({ threads: 1 })
  using session = ort.session(affine('runs'))
  assert.deepEqual([session.inputs, session.outputs], [['x'], ['y']])
  using x = ort.tensor('float32', [2, 512])
  using y = ort.tensor('float32', [2, 512])
  using binding = session.bind({ x }, { y })
  x.data.fill(1)
  binding.run()
  assert.deepEqual([...y.data.subarray(512, 516)], [2, 4, 6, 8])
  x.data.fill(2)
  binding.run()
  assert.equal(y.data[3], 10, 'inputs are read in place at each run')
})

test('a model of one piece is loaded from its bytes', () => {
  const g = new GraphBuilder('whole')
  const weights = Float32Array.from({ length: 1024 }, (_, i) => i)
  const w = g.weight('w', 'float32', [1024], () => weights)
  g.output(g.op('Add', [g.input('x', 'float32', [1024]), w], {})[0], 'y')
  using ort = new Runtime({ threads: 1 })
  const bytes = encodeModel(g.build())
  using session = ort.session(bytes)
  bytes.fill(0)
  using x = ort.tensor('float32', [1024])
  using y = ort.tensor('float32', [1024])
  using binding = session.bind({ x }, { y })
  x.data.fill(1)
  binding.run()
  assert.equal(y.data[1000], 1001)
  assert.throws(() => ort.session(new Uint8Array(100)), OrtError)
})

test('wrong use throws with the text of ONNX Runtime and is harmless', () => {
  using ort = new Runtime({ threads: 1 })
  using session = ort.session(affine('wrong'))
  using x = ort.tensor('float32', [1, 512])
  using narrow = ort.tensor('float32', [1, 3])
  using y = ort.tensor('float32', [1, 512])
  assert.throws(() => ort.session(path.join(folder, 'absent.onnx')), OrtError)
  writeFileSync(path.join(folder, 'noise.onnx'), 'not a model')
  assert.throws(() => ort.session(path.join(folder, 'noise.onnx')), OrtError)
  assert.throws(() => session.bind({}, { y }), { name: 'TypeError', message: 'inputs not bound: x' })
  assert.throws(() => session.bind({ x, z: x }, { y }), OrtError)
  assert.throws(() => ort.tensor('float32', [2, 2], new Float32Array(3)), RangeError)
  using misfit = session.bind({ x: narrow }, { y })
  assert.throws(() => misfit.run(), { name: 'OrtError', message: /[Dd]imension|shape/ })
  using fits = session.bind({ x }, { y })
  fits.run()
  assert.equal(y.data[1], 2)
})

test('objects refuse to be disposed while something needs them, and to be used afterwards', () => {
  const ort = new Runtime({ threads: 1 })
  const session = ort.session(affine('order'))
  const x = ort.tensor('float32', [1, 512])
  const y = ort.tensor('float32', [1, 512])
  const binding = session.bind({ x }, { y })
  for (const held of [session, x, ort]) {
    assert.throws(() => held[Symbol.dispose](), { name: 'TypeError', message: /disposed while in use/ })
  }
  binding[Symbol.dispose]()
  assert.throws(() => binding.run(), { name: 'TypeError', message: /used after dispose/ })
  for (const free of [x, y, session, ort]) free[Symbol.dispose]()
  assert.throws(() => session.bind({ x }, { y }), TypeError)
})

test('ONNX Runtime is told to send no telemetry before it loads', () => {
  assert.equal(process.env.ORT_DISABLE_TELEMETRY, '1')
})

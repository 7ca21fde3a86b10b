/**
 * Memory of this process, and the same tests on a device's, for which the CPU's allocator and plain copies stand in: there
 * is no GPU where the tests run.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import koffi from 'koffi'
import { GraphBuilder } from '#models/graph/builder.ts'
import { ExternalData, encodeModel } from '#models/graph/encode.ts'
import { type DeviceCopies, DeviceMemory, type Pitched } from './device-memory.ts'
import { Handle } from './handle.ts'
import type { Memory } from './memory.ts'
import { loadLibrary, made } from './ort-c-api.ts'
import { Runtime } from './runtime.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'tandem-memory-'))
after(() => rmSync(folder, { recursive: true }))

/** y = x + x */
const model = path.join(folder, 'double.onnx')
const g = new GraphBuilder('double')
const x = g.input('x', 'float32', [4])
g.output(g.op('Add', [x, x], {})[0], 'y')
writeFileSync(model, encodeModel(g.build(), new ExternalData('none')))

const { api } = loadLibrary()
const bytesOf = ({ at, pitch }: Pitched, length: number, count: number): Uint8Array =>
  typeof at === 'bigint' ? new Uint8Array(koffi.view(at, (count - 1) * pitch + length)) : at
const copies: DeviceCopies = {
  memoryName: 'Cpu',
  copy: (target, source, length, count) => {
    const [to, from] = [bytesOf(target, length, count), bytesOf(source, length, count)]
    for (let i = 0; i < count; i++) {
      to.set(from.subarray(i * source.pitch, i * source.pitch + length), i * target.pitch)
    }
  },
  zero: (at, byteLength) => new Uint8Array(koffi.view(at, byteLength)).fill(0),
}

/** A session of our own, as a device's memory takes one. */
function openSession() {
  const threading = made<'ThreadingOptions'>((out) => api.CreateThreadingOptions(out))
  const env = made<'Env'>((out) => api.CreateEnvWithGlobalThreadPools(3, 'test', threading, out))
  api.ReleaseThreadingOptions(threading)
  const options = made<'SessionOptions'>((out) => api.CreateSessionOptions(out))
  const pointer = made<'Session'>((out) => api.CreateSession(env, model, options, out))
  api.ReleaseSessionOptions(options)
  const session = new Handle('session', pointer, api.ReleaseSession)
  after(() => api.ReleaseEnv(env))
  return session
}

const floats = (bytes: Uint8Array) => [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)]
const bytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)

/** The `Memory` contract. */
function contract(allocate: (byteLength: number) => Memory): void {
  const all = (memory: Memory) => {
    const target = new Uint8Array(memory.byteLength)
    memory.read({ start: 0, length: memory.byteLength, pitch: memory.byteLength, count: 1 }, target)
    return floats(target)
  }

  test('it begins with zeros', () => {
    using memory = allocate(16)
    assert.deepEqual(all(memory), [0, 0, 0, 0])
  })

  test('rows are written, moved and read', () => {
    using memory = allocate(32)
    const rows = { start: 4, length: 4, pitch: 8, count: 2 }
    memory.write(rows, bytes(1, -1, -1, 2), 12)
    assert.deepEqual(all(memory), [0, 1, 0, 2, 0, 0, 0, 0])
    memory.move(rows, 16)
    assert.deepEqual(all(memory), [0, 1, 0, 2, 1, 0, 2, 0])
    const target = new Uint8Array(8)
    memory.read({ ...rows, start: 16 }, target)
    assert.deepEqual(floats(target), [1, 2])
  })

  test('nothing leaves its bounds, nor those of the array that it is copied to or from', () => {
    using memory = allocate(16)
    const row = { start: 0, length: 8, pitch: 8, count: 1 }
    const outside = { ...row, start: 12 }
    assert.throws(() => memory.read(outside, new Uint8Array(8)), RangeError)
    assert.throws(() => memory.read(row, new Uint8Array(7)), RangeError)
    assert.throws(() => memory.write(outside, new Uint8Array(8), 8), RangeError)
    assert.throws(() => memory.write({ ...row, count: 2 }, new Uint8Array(15), 8), RangeError)
    assert.throws(() => memory.move(row, 12), RangeError)
    assert.throws(() => memory.move(row, -4), RangeError)
    assert.throws(() => memory.tensor('float32', [2], 12), RangeError)
  })

  test('a graph computes in place on its tensors', () => {
    using ort = new Runtime({ threads: 1 })
    using session = ort.session(model)
    using memory = allocate(32)
    memory.write({ start: 16, length: 16, pitch: 16, count: 1 }, bytes(1, 2, 3, 4), 16)
    using x = memory.tensor('float32', [4], 16)
    using y = memory.tensor('float32', [4], 0)
    using binding = session.bind({ x }, { y })
    binding.run()
    assert.deepEqual(all(memory), [2, 4, 6, 8, 1, 2, 3, 4])
  })
}

describe('memory of this process', () => {
  const ort = new Runtime({ threads: 1 })
  const session = ort.session(model)
  after(() => {
    session[Symbol.dispose]()
    ort[Symbol.dispose]()
  })
  contract((byteLength) => session.memory(byteLength))
})

describe('memory of a device', () => {
  const session = openSession()
  after(() => session.release())
  contract((byteLength) => new DeviceMemory({ api, session, device: copies, byteLength }))

  test('its tensors keep it, it keeps the session, and their elements are not at hand', () => {
    const kept = openSession()
    const memory = new DeviceMemory({ api, session: kept, device: copies, byteLength: 16 })
    const tensor = memory.tensor('float32', [4], 0)
    assert.equal(tensor.onDevice, true)
    assert.throws(() => tensor.data, { name: 'TypeError', message: /in a GPU's memory/ })
    assert.throws(() => memory[Symbol.dispose](), { name: 'TypeError', message: /disposed while in use/ })
    assert.throws(() => kept.release(), { name: 'TypeError', message: /disposed while in use/ })
    tensor[Symbol.dispose]()
    memory[Symbol.dispose]()
    kept.release()
    assert.throws(() => memory.tensor('float32', [4], 0), { name: 'TypeError', message: /used after dispose/ })
  })

  test('more than there is is refused with the text of ONNX Runtime', () => {
    assert.throws(() => new DeviceMemory({ api, session, device: copies, byteLength: 2 ** 50 }), { name: 'OrtError' })
    assert.doesNotThrow(() => new DeviceMemory({ api, session, device: copies, byteLength: 64 })[Symbol.dispose]())
  })
})

test('a GPU is refused by a runtime that was made without the provider', () => {
  using ort = new Runtime({ threads: 1 })
  assert.throws(() => ort.session(model, { device: 'cuda' }), /made without the CUDA provider/)
})

/** Weights that both sides of a benchmark begin with: files of float32, in PyTorch's shapes, and a list of them. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Random } from '#gpu-runner/trainer/random.ts'
import type { StepPlan } from '#gpu-runner/trainer/step-builder.ts'
import { type Asked, elementsOf } from '#models/nn/trainable.ts'

export function writeWeights(folder: string, plan: StepPlan): void {
  const random = new Random(1)
  const specs = [...plan.frozen, ...plan.networks.flatMap(({ weights }) => weights)]
  for (const [i, { shape, initial }] of specs.entries()) {
    const data = new Float32Array(elementsOf(shape))
    if (initial.kind === 'constant') data.fill(initial.value)
    else random.normals(data, initial.kind === 'normal' ? initial.deviation : initial.bound / Math.sqrt(3))
    writeFileSync(path.join(folder, `${i}.bin`), data)
  }
  writeFileSync(path.join(folder, 'weights.json'), JSON.stringify(specs.map(({ name, shape }) => ({ name, shape }))))
}

export function readWeights(
  folder: string,
  { weights, buffers }: Asked,
): ReadonlyMap<string, Float32Array<ArrayBuffer>> {
  const listed = JSON.parse(readFileSync(path.join(folder, 'weights.json'), 'utf8')) as { name: string }[]
  return new Map([
    ...weights.map(({ name }) => {
      const bytes = readFileSync(path.join(folder, `${listed.findIndex((one) => one.name === name)}.bin`))
      return [name, new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)] as const
    }),
    ...buffers.map(({ name, shape, initial }) => {
      const value = initial.kind === 'constant' ? initial.value : 0
      return [name, new Float32Array(elementsOf(shape)).fill(value)] as const
    }),
  ])
}
